//! Agreements between a supporter and a recipient.

use chrono::NaiveDate;
use tongxin_platform::{
    error::Refusal,
    named,
    region::{Level, RegionCode},
};

use super::{
    OrganisationId, PairingId,
    credit_code::CreditCode,
    organisation::{Organisation, OrganisationKind, Side},
    period::{EndBeforeStart, Period},
};

named! {
    /// Kind of a pairing.
    pub enum PairingKind {
        /// Between party organisations.
        Party = "party",
        /// Between schools.
        School = "school",
        /// Between hospitals.
        Hospital = "hospital",
        /// An enterprise with any recipient.
        Enterprise = "enterprise",
    }
}

impl PairingKind {
    /// The required kind of the supporter.
    const fn supporter(self) -> OrganisationKind {
        match self {
            Self::Party => OrganisationKind::PartyOrganisation,
            Self::School => OrganisationKind::School,
            Self::Hospital => OrganisationKind::Hospital,
            Self::Enterprise => OrganisationKind::Enterprise,
        }
    }

    /// The required kind of the recipient; `None` allows any.
    const fn recipient(self) -> Option<OrganisationKind> {
        match self {
            Self::Party | Self::School | Self::Hospital => Some(self.supporter()),
            Self::Enterprise => None,
        }
    }
}

/// The facts of a pairing when it is established.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairingDraft {
    pub kind: PairingKind,
    pub supporter: OrganisationId,
    pub recipient: OrganisationId,
    /// Number of the written agreement; may be empty.
    pub agreement_number: String,
    /// The period in which it is in force.
    pub period: Period,
}

/// A reference to an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrganisationRef {
    /// By its identifier.
    Id(OrganisationId),
    /// The open one with this code.
    Code(CreditCode),
}

/// A pairing as it is stated, before its organisations are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedPairing {
    pub kind: PairingKind,
    pub supporter: OrganisationRef,
    pub recipient: OrganisationRef,
    /// Number of the written agreement; may be empty.
    pub agreement_number: String,
    /// The period in which it is in force.
    pub period: Period,
}

impl StatedPairing {
    /// The credit codes by which organisations are named.
    pub fn codes(&self) -> impl Iterator<Item = &CreditCode> {
        [&self.supporter, &self.recipient].into_iter().filter_map(|named| match named {
            OrganisationRef::Id(_) => None,
            OrganisationRef::Code(code) => Some(code),
        })
    }
}

/// What tells pairings from each other: kind, supporter, recipient and first day.
pub type Terms = (PairingKind, OrganisationId, OrganisationId, NaiveDate);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairing {
    pub id: PairingId,
    /// The facts, with the current period.
    pub draft: PairingDraft,
    pub supporter_name: String,
    /// Kind of the body of a supporting party organisation.
    pub supporter_host: Option<OrganisationKind>,
    pub recipient_name: String,
    /// The recipient's home region.
    pub region: RegionCode,
    /// Why it was ended; empty unless it was.
    pub end_reason: String,
    /// Why it was voided; empty unless it was.
    pub void_reason: String,
    /// Rises with each change, from 1.
    pub version: i64,
}

/// Why two organisations cannot be paired: one of them does not fit its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
#[refusal(by = unfit, field = side.field())]
#[error("{organisation} {unfit}")]
pub struct CannotPair {
    pub organisation: OrganisationId,
    pub side: Side,
    pub unfit: Unfit,
}

/// Why an organisation does not fit into a pairing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum Unfit {
    /// It is closed, or will be before the pairing ends.
    #[error("is closed: name one that is open as long as the pairing is in force")]
    #[refusal(FailedPrecondition, "ORGANISATION_CLOSED")]
    Closed,
    /// A supporter stands where a recipient should, or the other way round.
    #[error("is on the other side: a supporter is paired with a recipient")]
    #[refusal(FailedPrecondition, "ORGANISATION_SIDE_WRONG")]
    WrongSide,
    /// The kind of pairing is for other kinds of organisation.
    #[error("is not of the kind that such a pairing is between: name another one, or another kind of pairing")]
    #[refusal(FailedPrecondition, "ORGANISATION_KIND_WRONG")]
    WrongKind,
    /// The recipient is at home above a town.
    #[error("is at home in a region above a town: pairings are with villages and towns")]
    #[refusal(FailedPrecondition, "RECIPIENT_REGION_WRONG")]
    WrongRegion,
}

/// The pairing was entered by mistake, and never was in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
#[refusal(FailedPrecondition, "PAIRING_VOIDED", field = "pairing_id")]
#[error("the pairing was voided: it never was in force; name another one")]
pub struct Voided;

/// Why a pairing cannot be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum CannotEnd {
    /// It never was.
    #[error(transparent)]
    #[refusal(transparent)]
    Voided(#[from] Voided),
    /// It was ended, or came to its agreed end.
    #[error("the pairing ended on {0}: void it if that was a mistake, and establish it anew")]
    #[refusal(FailedPrecondition, "PAIRING_ENDED", field = "pairing_id")]
    Ended(NaiveDate),
    /// The end is not after the start.
    #[error(transparent)]
    #[refusal(transparent)]
    Order(#[from] EndBeforeStart),
}

impl PairingDraft {
    /// What tells it from other pairings.
    #[must_use]
    pub fn terms(&self) -> Terms {
        (self.kind, self.supporter, self.recipient, self.period.starts_on())
    }

    /// Creates the pairing of two organisations, if they can be paired.
    pub fn establish(
        self,
        id: PairingId,
        supporter: &Organisation,
        recipient: &Organisation,
    ) -> Result<Pairing, CannotPair> {
        let sides = [
            (supporter, Side::Supporter, Some(self.kind.supporter())),
            (recipient, Side::Recipient, self.kind.recipient()),
        ];
        for (organisation, side, kind) in sides {
            let refuse = |unfit| Err(CannotPair { organisation: organisation.id, side, unfit });
            if organisation.draft.side != side {
                return refuse(Unfit::WrongSide);
            }
            if kind.is_some_and(|kind| organisation.draft.kind != kind) {
                return refuse(Unfit::WrongKind);
            }
            if !organisation.is_open_through(self.period) {
                return refuse(Unfit::Closed);
            }
            if side == Side::Recipient && organisation.draft.region.level() < Level::Town {
                return refuse(Unfit::WrongRegion);
            }
        }
        Ok(Pairing {
            id,
            draft: self,
            supporter_name: supporter.draft.name.clone(),
            supporter_host: supporter.draft.host_kind,
            recipient_name: recipient.draft.name.clone(),
            region: recipient.draft.region,
            end_reason: String::new(),
            void_reason: String::new(),
            version: 1,
        })
    }
}

impl Pairing {
    /// The same pairing with an earlier end, or with an end if it had none.
    pub fn ended(&self, ends_on: NaiveDate, reason: String, today: NaiveDate) -> Result<Self, CannotEnd> {
        self.not_voided()?;
        // A pairing cannot be ended as of a future day, so one that was ended early is refused here, too.
        if let Some(ended) = self.draft.period.ends_on().filter(|ended| *ended <= today) {
            return Err(CannotEnd::Ended(ended));
        }
        let mut pairing = self.clone();
        pairing.draft.period = self.draft.period.ending(ends_on)?;
        pairing.end_reason = reason;
        pairing.version += 1;
        Ok(pairing)
    }

    #[must_use]
    pub fn is_voided(&self) -> bool {
        !self.void_reason.is_empty()
    }

    pub fn not_voided(&self) -> Result<(), Voided> {
        if self.is_voided() { Err(Voided) } else { Ok(()) }
    }

    #[must_use]
    pub fn voided(self, reason: String) -> Self {
        Self { void_reason: reason, version: self.version + 1, ..self }
    }
}
