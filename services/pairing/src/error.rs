//! What pairing refuses.

use chrono::NaiveDate;
use tongxin_platform::error::Refusal;

use crate::domain::{
    ActivityId, OrganisationId, PairingId,
    activity::CannotRecord,
    book::Overlaps,
    likeness::Differences,
    organisation::HostKindError,
    pairing::{CannotEnd, CannotPair},
    period::EndBeforeStart,
    register::{RowCountWrong, RowError},
};

/// Everything that can go wrong in pairing.
pub type Error = tongxin_platform::error::Error<Refused>;

/// What pairing refuses.
#[derive(Debug, thiserror::Error, Refusal)]
#[refusal(domain = "pairing.tongxin")]
pub enum Refused {
    /// The organisation does not exist, or lies outside the caller's region.
    #[error("organisation {0} does not exist: look at ListOrganisations, or register it first")]
    #[refusal(NotFound, "ORGANISATION_NOT_FOUND", field = "organisation_id")]
    OrganisationNotFound(OrganisationId),

    /// The pairing does not exist, or lies outside the caller's region.
    #[error("pairing {0} does not exist: look at ListPairings, or establish it first")]
    #[refusal(NotFound, "PAIRING_NOT_FOUND", field = "pairing_id")]
    PairingNotFound(PairingId),

    /// The activity does not exist, or lies outside the caller's region.
    #[error("joint activity {0} does not exist: look at ListJointActivities")]
    #[refusal(NotFound, "ACTIVITY_NOT_FOUND", field = "activity_id")]
    ActivityNotFound(ActivityId),

    /// The pairing has activities that count.
    #[error("the pairing has {0} joint activity(ies): void them first")]
    #[refusal(FailedPrecondition, "PAIRING_HAS_ACTIVITIES", field = "pairing_id")]
    PairingHasActivities(i64),

    /// The installation has no such coverage rule.
    #[error("there is no coverage rule {0:?}; there are: {1}")]
    #[refusal(NotFound, "COVERAGE_RULE_NOT_FOUND", field = "rule")]
    CoverageRuleNotFound(String, String),

    // Whose code it is may lie outside the caller's region.
    /// Another open organisation has the unified social credit code.
    #[error("another open organisation has the unified social credit code {0}: use that one, or close it first")]
    #[refusal(AlreadyExists, "CREDIT_CODE_TAKEN", field = "credit_code", told = LookUp)]
    CreditCodeTaken(String),

    /// No open organisation that the caller may see has the code.
    #[error(
        "no open organisation has the unified social credit code {0}: look at ListOrganisations, or register it first"
    )]
    #[refusal(NotFound, "ORGANISATION_NOT_FOUND", field = "credit_code")]
    CreditCodeNotFound(String),

    /// The organisation is kept already, and a row of an import says something else of it; the text names the fields.
    #[error("the organisation is kept already, and differs in: {}", .0.all)]
    #[refusal(AlreadyExists, "ORGANISATION_DIFFERS", field = _0.first)]
    OrganisationDiffers(Differences),

    /// The pairing is kept already, and a row of an import says something else of it; the text names the fields.
    #[error("the pairing is kept already, and differs in: {}", .0.all)]
    #[refusal(AlreadyExists, "PAIRING_DIFFERS", field = _0.first)]
    PairingDiffers(Differences),

    /// The draft of an organisation is not whole.
    #[error(transparent)]
    #[refusal(transparent)]
    HostKind(HostKindError),

    /// The organisation still takes part in something.
    #[error("the organisation has {0} pairing(s) in force on or after that day: end them first")]
    #[refusal(FailedPrecondition, "ORGANISATION_HAS_PAIRINGS", field = "organisation_id")]
    OrganisationHasPairings(i64),

    /// The two cannot be paired.
    #[error(transparent)]
    #[refusal(transparent)]
    CannotPair(CannotPair),

    /// The two are paired.
    #[error(transparent)]
    #[refusal(transparent)]
    Overlaps(Overlaps),

    /// The pairing cannot be ended.
    #[error(transparent)]
    #[refusal(transparent)]
    CannotEnd(CannotEnd),

    /// The activity cannot be recorded.
    #[error(transparent)]
    #[refusal(transparent)]
    CannotRecord(CannotRecord),

    /// An end that is not after its start.
    #[error(transparent)]
    #[refusal(transparent)]
    Order(EndBeforeStart),

    /// A newer edition of the register was taken that says something of the same regions.
    #[error(
        "an edition in force from {0} says something of the same regions: editions follow each other, so this one has to \
         be of that day or later"
    )]
    #[refusal(FailedPrecondition, "EDITION_OUTDATED", field = "edition.effective_from")]
    EditionOutdated(NaiveDate),

    /// The database lost rows of an import that is under way.
    #[error("rows of the import were lost")]
    #[refusal(Unavailable, "UNAVAILABLE")]
    RowsLost,

    /// Another replica has adopted other coverage rules since this one started.
    #[error(
        "another replica has adopted other coverage rules than this one was started with: \
         start this one again with the same, and it serves again"
    )]
    #[refusal(Unavailable, "COVERAGE_RULES_OUTDATED")]
    CoverageRulesOutdated,

    /// Something took place after the day on which the pairing is to end.
    #[error("a joint activity was held on {0}: the pairing ends after it")]
    #[refusal(FailedPrecondition, "ACTIVITY_AFTER_END", field = "ends_on")]
    ActivityAfterEnd(NaiveDate),

    /// Rows of an import are missing, or there are too many.
    #[error(transparent)]
    #[refusal(transparent)]
    RowCount(RowCountWrong),

    /// Rows of an import are wrong.
    #[error("{0}")]
    #[refusal(Invalid, "REGION_ROWS_INVALID", field = "rows.rows")]
    RegionRows(String),

    /// Rows of an import are about regions outside the caller's, and others may be wrong.
    #[error("{0}")]
    #[refusal(NotFound, "REGION_NOT_FOUND", field = "rows.rows")]
    RegionRowsElsewhere(String),
}

impl From<RowError> for Refused {
    fn from(error: RowError) -> Self {
        Self::RegionRows(error.to_string())
    }
}
