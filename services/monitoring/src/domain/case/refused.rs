//! Why a change of a case is refused: each with a reason of its own, which never changes.

use chrono::NaiveDate;
use tongxin_platform::error::ErrorKind;

use super::StageName;
use crate::domain::{CaseId, SignalId, procedure::Step, risk::Risk};

/// Why a change of a case is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseRefused {
    /// The case does not exist, or lies outside the caller's region.
    #[error("case {0} does not exist")]
    NotFound(CaseId),

    /// Another case has the identifier.
    #[error("there is a case with the identifier {0}: choose another")]
    Exists(CaseId),

    /// A case that the caller does not see has one of the identifiers.
    #[error("there is a case with such an identifier: choose another")]
    ExistsElsewhere,

    /// The household has an open case, or a later one.
    #[error("the household has another case")]
    HouseholdHasCase,

    /// No rules bind the region on that day.
    #[error("no rule set is in force for the household's region on that day")]
    RuleSetMissing,

    /// The rule set has no such category.
    #[error("the rule set in force has no category {0:?}")]
    CategoryUnknown(String),

    /// The household is not what the category is for.
    #[error("the newest observation does not meet the condition of the category {0:?}")]
    CategoryNotMet(String),

    /// Nothing is known of the household, or nothing that is not history.
    #[error("no window of the household had ended by that day, or none in the 12 months before it")]
    ObservationMissing,

    /// A risk is named twice.
    #[error("the risk {} is named twice", .0.name())]
    RiskTwice(Risk),

    /// "Other" does not say what.
    #[error("the risk other needs a remark")]
    RemarkRequired,

    /// The signal does not exist, or is another household's.
    #[error("signal {0} does not exist")]
    SignalNotFound(SignalId),

    /// The signal was not verified, or a case was opened for it before.
    #[error("signal {0} is not a verified one that waits for a case")]
    SignalNotVerified(SignalId),

    /// Another step is next, or none.
    #[error("{}", next_of(*.next, *.stage))]
    StepOutOfOrder {
        /// The step that is next.
        next: Option<Step>,
        /// The stage.
        stage: StageName,
    },

    /// It lies before what happened last, or before the household moved.
    #[error("{date} is before {earliest}, when the last thing happened or the household moved")]
    DateOrder {
        /// The field.
        field: &'static str,
        /// What was stated.
        date: NaiveDate,
        /// What would be right at the earliest.
        earliest: NaiveDate,
    },

    /// The notice came down too early.
    #[error("a public notice is up for {min_days} days at the least")]
    NoticeTooShort {
        /// Days.
        min_days: u32,
    },

    /// One person did what takes two.
    #[error("{} is for another person than the one who proposed, or reviewed", .0.name())]
    VerifierIsProposer(Step),

    /// A refusal does not say why.
    #[error("a refusal needs a reason")]
    ReasonRequired,

    /// Too little time has passed since identification.
    #[error("removal may be proposed and approved from {earliest} on")]
    RemovalTooEarly {
        /// The first day.
        earliest: NaiveDate,
    },

    /// Income was not above the line for long enough.
    #[error("no income is known for the time for which it has to be stable, or one is not above its year's line")]
    IncomeNotStable,

    /// Schooling, medical insurance, housing, water or the rule set's condition.
    #[error("the newest observation does not show all guarantees, or does not meet the condition of removal")]
    GuaranteesNotMet,

    /// Nothing was done against a risk.
    #[error("no measure was done against the risk {}", .0.name())]
    MeasureMissing(Risk),

    /// Nobody in the household can work: it stays under monitoring, with support.
    #[error("a household without labour stays under monitoring")]
    NoLabour,

    /// The town's review and the county's approval are not everybody's.
    #[error("{} needs the permission {permission}", .step.name())]
    StepNotAllowed {
        /// The step.
        step: Step,
        /// What it takes.
        permission: &'static str,
    },

    /// Only whoever loads history says that somebody else did it.
    #[error("stating that another did it needs the permission history.load")]
    PerformerNotAllowed,

    /// An earlier command of the batch failed for the same case.
    #[error("an earlier command for the same case failed")]
    FailedBefore,

    /// There is nothing to render.
    #[error("no notice was put up")]
    NoticeNotPosted,

    /// A notice has no place for anything but a name.
    #[error("the name of the household's head holds more than letters: correct it first")]
    NameNotPublishable,
}

impl CaseRefused {
    /// What the caller can do.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) | Self::SignalNotFound(_) => ErrorKind::NotFound,
            Self::Exists(_) | Self::ExistsElsewhere | Self::HouseholdHasCase => ErrorKind::AlreadyExists,
            Self::CategoryUnknown(_) | Self::RiskTwice(_) | Self::RemarkRequired | Self::ReasonRequired => {
                ErrorKind::Invalid
            }
            Self::StepNotAllowed { .. } | Self::PerformerNotAllowed => ErrorKind::PermissionDenied,
            Self::RuleSetMissing
            | Self::CategoryNotMet(_)
            | Self::ObservationMissing
            | Self::SignalNotVerified(_)
            | Self::StepOutOfOrder { .. }
            | Self::DateOrder { .. }
            | Self::NoticeTooShort { .. }
            | Self::VerifierIsProposer(_)
            | Self::RemovalTooEarly { .. }
            | Self::IncomeNotStable
            | Self::GuaranteesNotMet
            | Self::MeasureMissing(_)
            | Self::NoLabour
            | Self::FailedBefore
            | Self::NoticeNotPosted
            | Self::NameNotPublishable => ErrorKind::FailedPrecondition,
        }
    }

    /// A name that never changes.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "CASE_NOT_FOUND",
            Self::Exists(_) | Self::ExistsElsewhere => "CASE_EXISTS",
            Self::HouseholdHasCase => "HOUSEHOLD_HAS_CASE",
            Self::RuleSetMissing => "RULE_SET_MISSING",
            Self::CategoryUnknown(_) => "CATEGORY_UNKNOWN",
            Self::CategoryNotMet(_) => "CATEGORY_NOT_MET",
            Self::ObservationMissing => "OBSERVATION_MISSING",
            Self::RiskTwice(_) => "RISK_TWICE",
            Self::RemarkRequired => "REMARK_REQUIRED",
            Self::SignalNotFound(_) => "SIGNAL_NOT_FOUND",
            Self::SignalNotVerified(_) => "SIGNAL_NOT_VERIFIED",
            Self::StepOutOfOrder { .. } => "STEP_OUT_OF_ORDER",
            Self::DateOrder { .. } => "DATE_ORDER",
            Self::NoticeTooShort { .. } => "NOTICE_TOO_SHORT",
            Self::VerifierIsProposer(_) => "VERIFIER_IS_PROPOSER",
            Self::ReasonRequired => "REASON_REQUIRED",
            Self::RemovalTooEarly { .. } => "REMOVAL_TOO_EARLY",
            Self::IncomeNotStable => "INCOME_NOT_STABLE",
            Self::GuaranteesNotMet => "GUARANTEES_NOT_MET",
            Self::MeasureMissing(_) => "MEASURE_MISSING",
            Self::NoLabour => "NO_LABOUR",
            Self::StepNotAllowed { .. } => "STEP_NOT_ALLOWED",
            Self::PerformerNotAllowed => "PERFORMER_NOT_ALLOWED",
            Self::FailedBefore => "CASE_FAILED_BEFORE",
            Self::NoticeNotPosted => "NOTICE_NOT_POSTED",
            Self::NameNotPublishable => "NAME_NOT_PUBLISHABLE",
        }
    }

    /// The field that is wrong, where it is about one.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::CategoryUnknown(_) => Some("category"),
            Self::RiskTwice(_) => Some("risks"),
            Self::RemarkRequired => Some("risk_remark"),
            Self::ReasonRequired => Some("reason"),
            Self::DateOrder { field, .. } => Some(field),
            Self::NotFound(_) => Some("case_id"),
            Self::SignalNotFound(_) => Some("signal_ids"),
            Self::Exists(_)
            | Self::ExistsElsewhere
            | Self::HouseholdHasCase
            | Self::RuleSetMissing
            | Self::CategoryNotMet(_)
            | Self::ObservationMissing
            | Self::SignalNotVerified(_)
            | Self::StepOutOfOrder { .. }
            | Self::NoticeTooShort { .. }
            | Self::VerifierIsProposer(_)
            | Self::RemovalTooEarly { .. }
            | Self::IncomeNotStable
            | Self::GuaranteesNotMet
            | Self::MeasureMissing(_)
            | Self::NoLabour
            | Self::StepNotAllowed { .. }
            | Self::PerformerNotAllowed
            | Self::FailedBefore
            | Self::NoticeNotPosted
            | Self::NameNotPublishable => None,
        }
    }
}

fn next_of(next: Option<Step>, stage: StageName) -> String {
    match next {
        Some(step) => format!("the next step of the case is {}", step.name()),
        None => format!("no step is next: the case is {}", stage.name()),
    }
}
