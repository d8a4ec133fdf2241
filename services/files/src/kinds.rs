//! The rows of the contract that stand in files.

use tongxin_proto::{
    Keyed,
    monitoring::v1::{HouseholdDraft, ObservationDraft, Relation, Warning},
    pairing::v1::{OrganisationDraft, PairingDraft, RegionRow},
    rules::Rules,
};

use crate::fault::{Found, Place};

/// A row that files hold.
pub trait FileRow: prost::Message + prost::Name + Default + Keyed + Rules + 'static {
    /// What is wrong with it that only its lines show: in which of them, in which field, and what.
    fn faults(&self, _lines: &[Place]) -> Vec<(usize, &'static str, Found)> {
        Vec::new()
    }
}

impl FileRow for RegionRow {}
impl FileRow for OrganisationDraft {}
impl FileRow for PairingDraft {}
impl FileRow for ObservationDraft {}
impl FileRow for Warning {}

impl FileRow for HouseholdDraft {
    /// Two numbers that a spreadsheet cut become one, and two households one with two heads.
    fn faults(&self, lines: &[Place]) -> Vec<(usize, &'static str, Found)> {
        let mut heads = (0..).zip(&self.members).filter(|(_, member)| member.relation() == Relation::Head);
        let Some((first, _)) = heads.next() else { return Vec::new() };
        let first = lines.get(first).map_or(0, |place| place.line);
        heads.map(|(at, _)| (at, "members.relation", Found::SecondHead { first })).collect()
    }
}
