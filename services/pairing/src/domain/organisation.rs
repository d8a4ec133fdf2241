//! Organisations on both sides of the assistance.

use std::mem::replace;

use chrono::NaiveDate;
use tongxin_platform::{change::Change, error::Refusal, named, region::RegionCode};

use super::{OrganisationId, credit_code::CreditCode, period::Period};

named! {
    /// Kind of an organisation.
    pub enum OrganisationKind {
        /// Party organisation (党组织).
        PartyOrganisation = "party_organisation",
        /// School (学校).
        School = "school",
        /// Hospital (医院).
        Hospital = "hospital",
        /// Enterprise (企业).
        Enterprise = "enterprise",
        /// Public institution (事业单位).
        PublicInstitution = "public_institution",
        /// Government body (机关).
        Government = "government",
        /// Villagers' committee or collective (村委会、村集体).
        VillageCollective = "village_collective",
    }
}

named! {
    /// Side of an organisation.
    pub enum Side {
        /// Gives support.
        Supporter = "supporter",
        /// Receives support.
        Recipient = "recipient",
    }
}

impl Side {
    /// The request field for the organisation on this side of a pairing.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Supporter => "supporter_id",
            Self::Recipient => "recipient_id",
        }
    }

    /// The request field for the credit code of that organisation.
    #[must_use]
    pub const fn code_field(self) -> &'static str {
        match self {
            Self::Supporter => "supporter_credit_code",
            Self::Recipient => "recipient_credit_code",
        }
    }
}

/// The facts of an organisation when it is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganisationDraft {
    pub name: String,
    pub kind: OrganisationKind,
    pub side: Side,
    /// Kind of the body that a party organisation belongs to.
    pub host_kind: Option<OrganisationKind>,
    pub region: RegionCode,
    pub credit_code: Option<CreditCode>,
}

/// A draft without a necessary body, or with one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum HostKindError {
    /// A party organisation is stated without the kind of the body that it belongs to.
    #[error("a party organisation needs the kind of the body that it belongs to")]
    #[refusal(Invalid, "HOST_KIND_REQUIRED", field = "host_kind")]
    Required,
    /// An organisation is stated with a body that it cannot belong to.
    #[error("only a party organisation belongs to a body, which is not a party organisation itself")]
    #[refusal(Invalid, "HOST_KIND_REFUSED", field = "host_kind")]
    Refused,
}

/// What an organisation without a credit code is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Named {
    pub name: String,
    pub kind: OrganisationKind,
    pub side: Side,
    pub region: RegionCode,
}

impl OrganisationDraft {
    /// Checks that a body is given for party organisations, and only for these.
    pub fn check(&self) -> Result<(), HostKindError> {
        match (self.kind, self.host_kind) {
            (OrganisationKind::PartyOrganisation, None) => Err(HostKindError::Required),
            (OrganisationKind::PartyOrganisation, Some(OrganisationKind::PartyOrganisation)) => {
                Err(HostKindError::Refused)
            }
            (OrganisationKind::PartyOrganisation, Some(_)) | (_, None) => Ok(()),
            (_, Some(_)) => Err(HostKindError::Refused),
        }
    }

    /// What an organisation without a credit code is known by.
    #[must_use]
    pub fn named(&self) -> Named {
        let Self { name, kind, side, region, .. } = self;
        Named { name: name.clone(), kind: *kind, side: *side, region: *region }
    }

    #[must_use]
    pub fn register(self, id: OrganisationId) -> Organisation {
        Organisation { id, draft: self, closed: None, version: 1 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    pub id: OrganisationId,
    pub draft: OrganisationDraft,
    pub closed: Option<Closed>,
    /// Rises with each change, from 1.
    pub version: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// First day on which it is closed.
    pub on: NaiveDate,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrganisationEvent {
    Registered,
    /// Corrected; what the name and the code were.
    Changed(String, Option<CreditCode>),
    Closed {
        /// First day on which it is closed.
        on: NaiveDate,
    },
}

impl Organisation {
    /// Corrects its name and its credit code.
    pub fn change(mut self, name: String, credit_code: Option<CreditCode>) -> Change<Self, OrganisationEvent> {
        if (&self.draft.name, &self.draft.credit_code) == (&name, &credit_code) {
            return Change::none(self);
        }
        let previous = (replace(&mut self.draft.name, name), replace(&mut self.draft.credit_code, credit_code));
        self.version += 1;
        Change::one(self, OrganisationEvent::Changed(previous.0, previous.1))
    }

    /// Closes it; a closed one stays as it is.
    pub fn close(mut self, closed: Closed) -> Change<Self, OrganisationEvent> {
        if self.closed.is_some() {
            return Change::none(self);
        }
        let event = OrganisationEvent::Closed { on: closed.on };
        self.closed = Some(closed);
        self.version += 1;
        Change::one(self, event)
    }

    /// Whether it is open on every day of a period.
    #[must_use]
    pub fn is_open_through(&self, period: Period) -> bool {
        let Some(closed) = &self.closed else { return true };
        period.ends_on().is_some_and(|ends_on| ends_on <= closed.on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(kind: OrganisationKind, host_kind: Option<OrganisationKind>) -> OrganisationDraft {
        let region = RegionCode::parse("441823107201").unwrap();
        OrganisationDraft {
            name: "村党支部".to_owned(),
            kind,
            side: Side::Recipient,
            host_kind,
            region,
            credit_code: None,
        }
    }

    #[test]
    fn a_party_organisation_belongs_to_a_body_and_others_do_not() {
        use OrganisationKind::{Enterprise, PartyOrganisation, School};
        assert_eq!(draft(PartyOrganisation, None).check(), Err(HostKindError::Required));
        assert_eq!(draft(PartyOrganisation, Some(Enterprise)).check(), Ok(()));
        assert_eq!(draft(PartyOrganisation, Some(PartyOrganisation)).check(), Err(HostKindError::Refused));
        assert_eq!(draft(School, Some(Enterprise)).check(), Err(HostKindError::Refused));
        assert_eq!(draft(School, None).check(), Ok(()));
    }

    #[test]
    fn closing_twice_changes_nothing() {
        let on = NaiveDate::from_ymd_opt(2025, 3, 1).unwrap();
        let closed = Closed { on, reason: "merged".to_owned() };
        let open = draft(OrganisationKind::School, None).register(OrganisationId(uuid::Uuid::nil()));
        let first = open.close(closed.clone());
        assert_eq!(first.events, [OrganisationEvent::Closed { on }]);
        let second = first.state.clone().close(closed);
        assert_eq!((second.state, second.events.len()), (first.state, 0));
    }
}
