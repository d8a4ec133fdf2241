//! Maps the contract's enumerations to the domain's.

use tongxin_proto::{pairing::v1, same_names};

use crate::domain::{
    activity::ActivityKind,
    organisation::{OrganisationKind, Side},
    pairing::PairingKind,
};

same_names!(
    v1::OrganisationKind,
    OrganisationKind,
    PartyOrganisation,
    School,
    Hospital,
    Enterprise,
    PublicInstitution,
    Government,
    VillageCollective
);
same_names!(v1::OrganisationSide, Side, Supporter, Recipient);
same_names!(v1::PairingKind, PairingKind, Party, School, Hospital, Enterprise);
same_names!(v1::ActivityKind, ActivityKind, PartyDay, Visit, Teaching, Medical, Industry, Other);
