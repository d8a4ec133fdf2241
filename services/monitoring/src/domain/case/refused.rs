//! Refusals of changes of a case. Their reasons never change.

use chrono::NaiveDate;
use tongxin_platform::error::Refusal;

use super::StageName;
use crate::domain::{CaseId, SignalId, procedure::Step, risk::Risk};

/// Why a change of a case is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum CaseRefused {
    /// The case does not exist, or lies outside the caller's region.
    #[error("case {0} does not exist")]
    #[refusal(NotFound, "CASE_NOT_FOUND", field = "case_id")]
    NotFound(CaseId),

    /// Another case has the identifier.
    #[error("there is a case with the identifier {0}: choose another")]
    #[refusal(AlreadyExists, "CASE_EXISTS")]
    Exists(CaseId),

    /// A case that the caller does not see has one of the identifiers.
    #[error("there is a case with such an identifier: choose another")]
    #[refusal(AlreadyExists, "CASE_EXISTS")]
    ExistsElsewhere,

    /// The household has an open case, or a later one.
    #[error("the household has another case")]
    #[refusal(AlreadyExists, "HOUSEHOLD_HAS_CASE")]
    HouseholdHasCase,

    /// No rules bind the region on that day.
    #[error("no rule set is in force for the household's region on that day")]
    #[refusal(FailedPrecondition, "RULE_SET_MISSING")]
    RuleSetMissing,

    /// The rule set has no such category.
    #[error("the rule set in force has no category {0:?}")]
    #[refusal(Invalid, "CATEGORY_UNKNOWN", field = "category")]
    CategoryUnknown(String),

    /// The household is not what the category is for.
    #[error("the newest observation does not meet the condition of the category {0:?}")]
    #[refusal(FailedPrecondition, "CATEGORY_NOT_MET")]
    CategoryNotMet(String),

    /// Nothing is known of the household, or nothing that is not history.
    #[error("no window of the household had ended by that day, or none in the 12 months before it")]
    #[refusal(FailedPrecondition, "OBSERVATION_MISSING")]
    ObservationMissing,

    /// A risk is named twice.
    #[error("the risk {} is named twice", .0.name())]
    #[refusal(Invalid, "RISK_TWICE", field = "risks")]
    RiskTwice(Risk),

    /// "Other" does not say what.
    #[error("the risk other needs a remark")]
    #[refusal(Invalid, "REMARK_REQUIRED", field = "risk_remark")]
    RemarkRequired,

    /// The signal does not exist, or is another household's.
    #[error("signal {0} does not exist")]
    #[refusal(NotFound, "SIGNAL_NOT_FOUND", field = "signal_ids")]
    SignalNotFound(SignalId),

    /// The signal was not verified, or a case was opened for it before.
    #[error("signal {0} is not a verified one that waits for a case")]
    #[refusal(FailedPrecondition, "SIGNAL_NOT_VERIFIED")]
    SignalNotVerified(SignalId),

    /// The case would be opened for a signal before that was verified.
    #[error("signal {0} was verified after that day")]
    #[refusal(FailedPrecondition, "DATE_ORDER", field = "opened_on")]
    SignalVerifiedLater(SignalId),

    /// Another step is next, or none.
    #[error("{}", next_of(*.next, *.stage))]
    #[refusal(FailedPrecondition, "STEP_OUT_OF_ORDER")]
    StepOutOfOrder { next: Option<Step>, stage: StageName },

    /// It lies before what happened last, or before the household moved.
    #[error("{date} is before {earliest}, when the last thing happened or the household moved")]
    #[refusal(FailedPrecondition, "DATE_ORDER", field = field)]
    DateOrder { field: &'static str, date: NaiveDate, earliest: NaiveDate },

    /// The notice came down too early.
    #[error("a public notice is up for {min_days} days at the least")]
    #[refusal(FailedPrecondition, "NOTICE_TOO_SHORT")]
    NoticeTooShort { min_days: u32 },

    /// One person did what takes two.
    #[error("{} is for another person than the one who proposed, or reviewed", .0.name())]
    #[refusal(FailedPrecondition, "VERIFIER_IS_PROPOSER")]
    VerifierIsProposer(Step),

    /// A refusal does not say why.
    #[error("a refusal needs a reason")]
    #[refusal(Invalid, "REASON_REQUIRED", field = "reason")]
    ReasonRequired,

    /// Too little time has passed since identification.
    #[error("removal may be proposed and approved from {earliest} on")]
    #[refusal(FailedPrecondition, "REMOVAL_TOO_EARLY")]
    RemovalTooEarly { earliest: NaiveDate },

    /// Income was not above the line for long enough.
    #[error("no income is known for the time for which it has to be stable, or one is not above its year's line")]
    #[refusal(FailedPrecondition, "INCOME_NOT_STABLE")]
    IncomeNotStable,

    /// Schooling, medical insurance, housing, water or the rule set's condition.
    #[error("the newest observation does not show all guarantees, or does not meet the condition of removal")]
    #[refusal(FailedPrecondition, "GUARANTEES_NOT_MET")]
    GuaranteesNotMet,

    /// Nothing was done against a risk.
    #[error("no measure was done against the risk {}", .0.name())]
    #[refusal(FailedPrecondition, "MEASURE_MISSING")]
    MeasureMissing(Risk),

    /// Nobody in the household can work: it stays under monitoring, with support.
    #[error("a household without labour stays under monitoring")]
    #[refusal(FailedPrecondition, "NO_LABOUR")]
    NoLabour,

    /// The town's review and the county's approval are not everybody's.
    #[error("{} needs the permission {permission}", .step.name())]
    #[refusal(PermissionDenied, "STEP_NOT_ALLOWED")]
    StepNotAllowed { step: Step, permission: &'static str },

    /// Only whoever loads history says that somebody else did it.
    #[error("stating that another did it needs the permission history.load")]
    #[refusal(PermissionDenied, "PERFORMER_NOT_ALLOWED")]
    PerformerNotAllowed,

    /// An earlier command of the batch failed for the same case.
    #[error("an earlier command for the same case failed")]
    #[refusal(FailedPrecondition, "CASE_FAILED_BEFORE")]
    FailedBefore,

    /// There is nothing to render.
    #[error("no notice was put up")]
    #[refusal(FailedPrecondition, "NOTICE_NOT_POSTED")]
    NoticeNotPosted,

    /// A notice has no place for anything but a name.
    #[error("the name of the household's head holds more than letters: correct it first")]
    #[refusal(FailedPrecondition, "NAME_NOT_PUBLISHABLE")]
    NameNotPublishable,
}

fn next_of(next: Option<Step>, stage: StageName) -> String {
    match next {
        Some(step) => format!("the next step of the case is {}", step.name()),
        None => format!("no step is next: the case is {}", stage.name()),
    }
}
