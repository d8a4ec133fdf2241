//! Things that journeys and load enter.

use anyhow::Result;
use chrono::NaiveDate;
use tongxin_proto::pairing::v1::{
    EstablishPairingRequest, Organisation, OrganisationDraft, OrganisationKind, OrganisationSide, PairingDraft,
    PairingKind, RegisterOrganisationRequest,
};
use uuid::Uuid;

use crate::Pairing;

/// Guangzhou, where supporters are at home.
pub const GUANGZHOU: &str = "440100000000";

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
        credit_code: String::new(),
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
        agreement_number: String::new(),
        starts_on: Some(starts_on.into()),
        ends_on: None,
    };
    EstablishPairingRequest { request_id: request_id(), pairing: Some(draft) }
}
