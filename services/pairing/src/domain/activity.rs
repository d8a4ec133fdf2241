//! Joint activities of a pairing.

use chrono::NaiveDate;
use tongxin_platform::{error::Refusal, named, region::RegionCode};

use super::{
    ActivityId, PairingId,
    pairing::{Pairing, Voided},
};

named! {
    /// Kind of an activity.
    pub enum ActivityKind {
        /// Joint party day or lesson.
        PartyDay = "party_day",
        /// Visit to households.
        Visit = "visit",
        /// Teaching or teaching research.
        Teaching = "teaching",
        /// Medical service.
        Medical = "medical",
        /// Industry and sales.
        Industry = "industry",
        /// Anything else; the remark says what.
        Other = "other",
    }
}

/// The facts of an activity when it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityDraft {
    pub pairing: PairingId,
    pub kind: ActivityKind,
    pub held_on: NaiveDate,
    /// People who took part, at least 1.
    pub participants: i32,
    pub remark: String,
}

/// A joint activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    pub id: ActivityId,
    pub draft: ActivityDraft,
    /// The pairing's region.
    pub region: RegionCode,
    /// Why it was voided; empty unless it was.
    pub void_reason: String,
}

/// Why an activity cannot be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum CannotRecord {
    /// The pairing never was.
    #[error(transparent)]
    #[refusal(transparent)]
    Voided(#[from] Voided),
    /// The pairing was not in force on that day.
    #[error("the pairing was not in force on {0}: name a day on which it was, or the pairing that was then")]
    #[refusal(FailedPrecondition, "PAIRING_NOT_IN_FORCE", field = "held_on")]
    NotInForce(NaiveDate),
    /// The kind `other` says nothing by itself.
    #[error("the kind \"other\" needs a remark that says what was done")]
    #[refusal(Invalid, "REMARK_REQUIRED", field = "remark")]
    RemarkRequired,
}

impl ActivityDraft {
    /// Creates the activity of a pairing.
    ///
    /// # Errors
    /// If the pairing was voided or not in force on the day, or the remark is missing.
    pub fn record(self, id: ActivityId, pairing: &Pairing) -> Result<Activity, CannotRecord> {
        pairing.not_voided()?;
        if !pairing.draft.period.contains(self.held_on) {
            return Err(CannotRecord::NotInForce(self.held_on));
        }
        if self.kind == ActivityKind::Other && self.remark.trim().is_empty() {
            return Err(CannotRecord::RemarkRequired);
        }
        Ok(Activity { id, draft: self, region: pairing.region, void_reason: String::new() })
    }
}

impl Activity {
    #[must_use]
    pub fn is_voided(&self) -> bool {
        !self.void_reason.is_empty()
    }
}
