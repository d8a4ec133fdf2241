//! Whether a row says of an organisation or a pairing what is kept of it.

use super::{
    organisation::{Organisation, OrganisationDraft},
    pairing::{Pairing, PairingDraft},
};

/// The fields in which a row differs from what is kept, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differences {
    /// The first of them.
    pub first: &'static str,
    /// All of them, in order.
    pub all: String,
}

impl Differences {
    /// Fails with the fields that are not the same.
    fn check(fields: &[(&'static str, bool)]) -> Result<(), Self> {
        let differing: Vec<&'static str> =
            fields.iter().filter(|(_, is_same)| !is_same).map(|(field, _)| *field).collect();
        match differing.first() {
            None => Ok(()),
            Some(first) => Err(Self { first, all: differing.join(", ") }),
        }
    }
}

impl OrganisationDraft {
    /// Checks that a row says what is kept of an organisation.
    pub fn check_alike(&self, kept: &Organisation) -> Result<(), Differences> {
        let kept = &kept.draft;
        Differences::check(&[
            ("name", self.name == kept.name),
            ("kind", self.kind == kept.kind),
            ("side", self.side == kept.side),
            ("host_kind", self.host_kind == kept.host_kind),
            ("region_code", self.region == kept.region),
            ("credit_code", self.credit_code == kept.credit_code),
        ])
    }
}

impl PairingDraft {
    /// Checks that a row says what is kept of a pairing.
    pub fn check_alike(&self, kept: &Pairing) -> Result<(), Differences> {
        let kept = &kept.draft;
        Differences::check(&[
            ("kind", self.kind == kept.kind),
            ("supporter_id", self.supporter == kept.supporter),
            ("recipient_id", self.recipient == kept.recipient),
            ("agreement_number", self.agreement_number == kept.agreement_number),
            ("starts_on", self.period.starts_on() == kept.period.starts_on()),
            ("ends_on", self.period.ends_on() == kept.period.ends_on()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use tongxin_platform::region::RegionCode;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        OrganisationId,
        organisation::{OrganisationKind, Side},
    };

    fn draft() -> OrganisationDraft {
        OrganisationDraft {
            name: "第一小学".to_owned(),
            kind: OrganisationKind::School,
            side: Side::Recipient,
            host_kind: None,
            region: RegionCode::parse("441823107000").unwrap(),
            credit_code: None,
        }
    }

    #[test]
    fn an_organisation_is_alike_or_its_fields_are_named() {
        let kept = draft().register(OrganisationId(Uuid::nil()));
        assert_eq!(draft().check_alike(&kept), Ok(()));
        let other = OrganisationDraft { name: "第二小学".to_owned(), side: Side::Supporter, ..draft() };
        let differences = Differences { first: "name", all: "name, side".to_owned() };
        assert_eq!(other.check_alike(&kept), Err(differences));
    }
}
