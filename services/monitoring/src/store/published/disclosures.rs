//! Parses look-ups and reveals in the log, for auditors.

use prost::{Message as _, Name as _};
use tongxin_proto::{
    monitoring::v1::{HouseholdRevealed, HouseholdsLookedUp},
    names::Named as _,
};
use uuid::Uuid;

use crate::{
    domain::{
        HouseholdId,
        disclosure::{Act, LookUpKey},
        household::RevealPurpose,
    },
    error::Error,
};

/// Parses an event of either type.
pub(in crate::store) fn read(event_type: &str, payload: &[u8]) -> Result<Act, Error> {
    let wrong = || Error::Corrupt(format!("an event {event_type} that cannot be read"));
    if event_type == HouseholdsLookedUp::full_name() {
        let event = HouseholdsLookedUp::decode(payload).map_err(|_| wrong())?;
        let key = LookUpKey::read(event.key).ok_or_else(wrong)?;
        return Ok(Act::LookUp { key, found: event.found });
    }
    let event = HouseholdRevealed::decode(payload).map_err(|_| wrong())?;
    Ok(Act::Reveal {
        household: HouseholdId(Uuid::try_parse(&event.household_id).map_err(|_| wrong())?),
        purpose: RevealPurpose::read(event.purpose).ok_or_else(wrong)?,
        reference: event.reference,
    })
}
