//! What the two sides of a pairing did together.

use chrono::NaiveDate;
use tongxin_platform::{error::Refusal, named, region::RegionCode};

use super::{
    ActivityId, PairingId,
    pairing::{Pairing, Voided},
};

named! {
    /// What sort of activity it was.
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

/// What is stated of an activity when it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityDraft {
    /// The pairing whose sides met.
    pub pairing: PairingId,
    /// What they did.
    pub kind: ActivityKind,
    /// The day.
    pub held_on: NaiveDate,
    /// People who took part, at least 1.
    pub participants: i32,
    /// What is worth knowing; may be empty.
    pub remark: String,
}

/// A joint activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Its identifier.
    pub id: ActivityId,
    /// What was stated of it.
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
    /// Makes the activity of a pairing.
    ///
    /// # Errors
    /// When the pairing was voided or not in force on the day, or the remark is missing.
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
    /// Whether it was voided.
    #[must_use]
    pub fn is_voided(&self) -> bool {
        !self.void_reason.is_empty()
    }
}
