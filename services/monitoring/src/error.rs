//! What monitoring refuses.

use chrono::NaiveDate;
use tongxin_platform::{error::Refusal, region::RegionCode};

use crate::domain::{
    HouseholdId, RuleSetId, VerdictId, case::CaseRefused, holiday, household, income::IncomeRefused,
    measure::MeasureRefused, merge, observation, quality, rule_set, signal::SignalRefused,
};

/// Everything that can go wrong in monitoring.
pub type Error = tongxin_platform::error::Error<Refused>;

/// What monitoring refuses.
#[derive(Debug, thiserror::Error, Refusal)]
#[refusal(domain = "monitoring.tongxin")]
pub enum Refused {
    /// Households live in villages and communities.
    #[error("{0} is not a village or community")]
    #[refusal(Invalid, "REGION_LEVEL_WRONG", field = "region_code")]
    RegionLevelWrong(String),

    /// A period ends before it begins.
    #[error("{1} is before {0}")]
    #[refusal(Invalid, "DATE_ORDER", field = "until")]
    PeriodOrder(NaiveDate, NaiveDate),

    /// The household does not exist, or lies outside the caller's region.
    #[error("household {0} does not exist")]
    #[refusal(NotFound, "HOUSEHOLD_NOT_FOUND", field = "household_id")]
    HouseholdNotFound(HouseholdId),

    /// No household that the caller may see has the national number.
    #[error("no household there has this household_number")]
    #[refusal(NotFound, "HOUSEHOLD_NOT_FOUND", field = "household_number")]
    HouseholdNumberNotFound,

    /// Several households of the caller's region have the number.
    #[error("several households have this household_number: name the county by region_code")]
    #[refusal(Invalid, "HOUSEHOLD_NUMBER_AMBIGUOUS", field = "region_code")]
    HouseholdNumberAmbiguous,

    /// The household was merged into another.
    #[error("the household was merged into {0}: use that one")]
    #[refusal(FailedPrecondition, "HOUSEHOLD_MERGED")]
    HouseholdMerged(HouseholdId),

    /// A household cannot be as it is stated.
    #[error(transparent)]
    #[refusal(transparent)]
    Household(household::HouseholdRefused),

    /// A row of an import says something else of a household than what is kept.
    #[error(transparent)]
    #[refusal(transparent)]
    Unlike(household::Unlike),

    /// Two records cannot be merged or parted.
    #[error(transparent)]
    #[refusal(transparent)]
    Merge(merge::MergeRefused),

    /// A change of a case is refused.
    #[error(transparent)]
    #[refusal(transparent)]
    Case(CaseRefused),

    /// A change of a measure is refused.
    #[error(transparent)]
    #[refusal(transparent)]
    Measure(MeasureRefused),

    /// Something cannot be done with a signal.
    #[error(transparent)]
    #[refusal(transparent)]
    Signal(SignalRefused),

    /// Something cannot be recorded of a village's income.
    #[error(transparent)]
    #[refusal(transparent)]
    Income(IncomeRefused),

    /// A data-quality rule refuses the entry.
    #[error(transparent)]
    #[refusal(transparent)]
    Quality(quality::QualityRefused),

    /// The rule set does not exist, or binds nobody in the caller's region.
    #[error("rule set {0} does not exist")]
    #[refusal(NotFound, "RULE_SET_NOT_FOUND", field = "rule_set_id")]
    RuleSetNotFound(RuleSetId),

    /// No rule set holds in a region.
    #[error("no rule set is in force in {0} on {1}: store one for it or for a region above it")]
    #[refusal(FailedPrecondition, "RULE_SET_MISSING")]
    RuleSetMissing(RegionCode, NaiveDate),

    /// A rule set would change what was decided by newer ones.
    #[error("a newer rule set has been in force in the region since {0}: effective_from has to be that day or later")]
    #[refusal(FailedPrecondition, "RULE_SET_IN_USE", field = "rule_set.effective_from")]
    RuleSetInUse(NaiveDate),

    /// The verdict does not exist, or is about a household outside of the caller's region.
    #[error("verdict {0} does not exist")]
    #[refusal(NotFound, "VERDICT_NOT_FOUND", field = "verdict_id")]
    VerdictNotFound(VerdictId),

    /// A rule set is not sound.
    #[error(transparent)]
    #[refusal(transparent)]
    RuleSet(rule_set::RuleSetRefused),

    /// Holidays contradict themselves.
    #[error(transparent)]
    #[refusal(transparent)]
    Holidays(holiday::HolidayRefused),

    /// An observation contradicts itself.
    #[error(transparent)]
    #[refusal(transparent)]
    Observation(observation::ObservationRefused),

    /// Holidays are those of a province.
    #[error("holidays bind the whole province: stating them takes a token for it, not for {0}")]
    #[refusal(PermissionDenied, "HOLIDAYS_ELSEWHERE")]
    HolidaysElsewhere(RegionCode),
}
