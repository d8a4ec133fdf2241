//! Things that journeys and load enter.

use anyhow::Result;
use chrono::{Days, NaiveDate};
use tongxin_proto::pairing::v1::{
    EstablishPairingRequest, Organisation, OrganisationDraft, OrganisationKind, OrganisationSide, PairingDraft,
    PairingKind, RegisterOrganisationRequest,
};
use uuid::Uuid;

use crate::Pairing;

/// Guangzhou, where supporters are at home.
pub const GUANGZHOU: &str = "440100000000";

/// Of the check digit of an identity number (GB 11643).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// Where the areas begin that the identity numbers of made-up people name: in no prefecture of Guangdong, so they are nobody's.
const NOBODYS_AREAS: usize = 449_000;

/// The identity number of a made-up person who was born in one of 1,000 areas. Days of birth are spread over 40 years, and
/// the persons of one day over its numbers, which is enough for 14.6 million of an area.
#[must_use]
pub fn id_number(area: usize, person: usize) -> String {
    const DAYS: usize = 14_600;
    const NUMBERS: usize = 1_000;
    let first = NaiveDate::from_ymd_opt(1960, 1, 1).unwrap_or_default();
    let day = first + Days::new((person % DAYS) as u64);
    let digits = format!("{}{}{:03}", NOBODYS_AREAS + area % 1_000, day.format("%Y%m%d"), person / DAYS % NUMBERS);
    let sum: u32 =
        digits.chars().filter_map(|digit| digit.to_digit(10)).zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    let check = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'][sum as usize % 11];
    format!("{digits}{check}")
}

/// A new request identifier.
#[must_use]
pub fn request_id() -> String {
    Uuid::new_v4().to_string()
}

/// The party organisation of a government body in Guangzhou.
#[must_use]
pub fn supporter(name: &str) -> OrganisationDraft {
    OrganisationDraft {
        name: name.to_owned(),
        kind: OrganisationKind::PartyOrganisation.into(),
        side: OrganisationSide::Supporter.into(),
        host_kind: OrganisationKind::Government.into(),
        region_code: GUANGZHOU.to_owned(),
        ..OrganisationDraft::default()
    }
}

/// The party organisation of a village.
#[must_use]
pub fn recipient(name: &str, village: &str) -> OrganisationDraft {
    OrganisationDraft {
        side: OrganisationSide::Recipient.into(),
        host_kind: OrganisationKind::VillageCollective.into(),
        region_code: village.to_owned(),
        ..supporter(name)
    }
}

/// Registers an organisation.
///
/// # Errors
/// What pairing answers.
pub async fn register(client: &mut Pairing, draft: OrganisationDraft) -> Result<Organisation> {
    let request = RegisterOrganisationRequest { request_id: request_id(), organisation: Some(draft) };
    Ok(client.register_organisation(request).await?.into_inner().organisation.unwrap_or_default())
}

/// Asks to pair two party organisations from a day on.
#[must_use]
pub fn party_pairing(supporter: &str, recipient: &str, starts_on: NaiveDate) -> EstablishPairingRequest {
    let draft = PairingDraft {
        kind: PairingKind::Party.into(),
        supporter_id: supporter.to_owned(),
        recipient_id: recipient.to_owned(),
        starts_on: Some(starts_on.into()),
        ..PairingDraft::default()
    };
    EstablishPairingRequest { request_id: request_id(), pairing: Some(draft) }
}
