//! Everything that can go wrong in monitoring, and what the caller is told.

use std::{fmt::Display, time::Duration};

use chrono::NaiveDate;
use tongxin_platform::{
    error::{ErrorKind, ServiceError, database_kind, to_status},
    limit::Limited,
    page::NotAPageToken,
    personal,
    region::RegionCode,
    request::{DateRefused, RequestError},
};
use tongxin_proto::rules::{self, Violation};
use tonic::Status;

use crate::domain::{
    HouseholdId, RuleSetId, VerdictId, case::CaseRefused, holiday, household, import, income::IncomeRefused,
    measure::MeasureRefused, merge, observation, quality, rule_set, signal::SignalRefused,
};

/// Everything that can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The region is not registered, or lies outside the caller's.
    #[error("region {0} does not exist")]
    RegionNotFound(String),

    /// Households live in villages and communities.
    #[error("{0} is not a village or community")]
    RegionLevelWrong(String),

    /// The household does not exist, or lies outside the caller's region.
    #[error("household {0} does not exist")]
    HouseholdNotFound(HouseholdId),

    /// No household that the caller may see has the national number.
    #[error("no household there has this household_number")]
    HouseholdNumberNotFound,

    /// Several households of the caller's region have the number.
    #[error("several households have this household_number: name the county by region_code")]
    HouseholdNumberAmbiguous,

    /// The household was merged into another.
    #[error("the household was merged into {0}: use that one")]
    HouseholdMerged(HouseholdId),

    /// A household cannot be as it is stated.
    #[error(transparent)]
    Household(#[from] household::Refused),

    /// Two records cannot be merged or parted.
    #[error(transparent)]
    Merge(#[from] merge::Refused),

    /// An import does not go on.
    #[error(transparent)]
    Import(#[from] import::Refused),

    /// A change of a case is refused.
    #[error(transparent)]
    Case(#[from] CaseRefused),

    /// A change of a measure is refused.
    #[error(transparent)]
    Measure(#[from] MeasureRefused),

    /// The thing has changed since the caller read it.
    #[error("it has version {actual} by now, not {expected}: read it again")]
    Stale {
        /// What the caller expected.
        expected: i64,
        /// What it is.
        actual: i64,
    },

    /// A date may not be entered.
    #[error("{0}: {1}")]
    Date(&'static str, #[source] DateRefused),

    /// A field is wrong that no rule of the contract can check.
    #[error("{field} {text}")]
    Field {
        /// Path of the field.
        field: &'static str,
        /// What is wrong with it.
        text: String,
    },

    /// A row breaks rules of the contract.
    #[error("{text}")]
    Row {
        /// The first field that is wrong.
        field: String,
        /// What is wrong with each.
        text: String,
    },

    /// A batch that is carried out as a whole has a row that is wrong.
    #[error("nothing was changed, because of row {row}: {text}")]
    BatchRefused {
        /// Number of the row, from 1.
        row: i64,
        /// What is wrong with it.
        text: String,
    },

    /// Something cannot be done with a signal.
    #[error(transparent)]
    Signal(#[from] SignalRefused),

    /// Something cannot be recorded of a village's income.
    #[error(transparent)]
    Income(#[from] IncomeRefused),

    /// A data-quality rule refuses the entry.
    #[error(transparent)]
    Quality(#[from] quality::Refused),

    /// The rule set does not exist, or binds nobody in the caller's region.
    #[error("rule set {0} does not exist")]
    RuleSetNotFound(RuleSetId),

    /// No rule set holds in a region.
    #[error("no rule set is in force in {0} on {1}: store one for it or for a region above it")]
    RuleSetMissing(RegionCode, NaiveDate),

    /// A rule set would change what was decided by newer ones.
    #[error("a newer rule set has been in force in the region since {0}: effective_from has to be that day or later")]
    RuleSetInUse(NaiveDate),

    /// The verdict does not exist, or is about a household outside of the caller's region.
    #[error("verdict {0} does not exist")]
    VerdictNotFound(VerdictId),

    /// A rule set is not sound.
    #[error(transparent)]
    RuleSet(#[from] rule_set::Refused),

    /// Holidays contradict themselves.
    #[error(transparent)]
    Holidays(#[from] holiday::Refused),

    /// An observation contradicts itself.
    #[error(transparent)]
    Observation(#[from] observation::Refused),

    /// The field stands elsewhere in the request than the error itself knows.
    #[error("{source}")]
    At {
        /// Path of the field from the request.
        path: String,
        /// What is wrong.
        source: Box<Self>,
    },

    /// Holidays are those of a province.
    #[error("holidays bind the whole province: stating them takes a token for it, not for {0}")]
    HolidaysElsewhere(RegionCode),

    /// What every changing request can meet with.
    #[error(transparent)]
    Request(#[from] RequestError),

    /// Something sealed does not open, or cannot be sealed.
    #[error("sealing failed")]
    Sealing(#[from] personal::Error),

    /// Postgres failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),

    /// A row of the database is not what it should be.
    #[error("the database holds {0}")]
    Corrupt(String),
}

impl Error {
    /// A field that no rule of the contract can check.
    pub fn field(field: &'static str, text: impl Display) -> Self {
        Self::Field { field, text: text.to_string() }
    }

    /// The same error, about the field with this path from the request.
    #[must_use]
    pub fn at(self, path: impl Into<String>) -> Self {
        Self::At { path: path.into(), source: Box::new(self) }
    }

    /// The same error, whose field stands in `message`, a field of the request. The identifier of the
    /// request stands beside it.
    #[must_use]
    pub fn within(self, message: &str) -> Self {
        match self.field().map(|field| format!("{message}.{field}")) {
            Some(path) if !matches!(self, Self::Request(_)) => self.at(path),
            _ => self,
        }
    }

    /// A row of a batch that breaks rules of the contract.
    #[must_use]
    pub fn row(violations: &[Violation]) -> Self {
        Self::Row {
            field: violations.first().map(|broken| broken.field.clone()).unwrap_or_default(),
            text: rules::summary(violations),
        }
    }
}

impl From<NotAPageToken> for Error {
    fn from(error: NotAPageToken) -> Self {
        Self::field("page_token", error)
    }
}

impl ServiceError for Error {
    const DOMAIN: &'static str = "monitoring.tongxin";

    fn kind(&self) -> ErrorKind {
        match self {
            Self::RegionNotFound(_)
            | Self::HouseholdNotFound(_)
            | Self::HouseholdNumberNotFound
            | Self::RuleSetNotFound(_)
            | Self::VerdictNotFound(_) => ErrorKind::NotFound,
            Self::At { source, .. } => source.kind(),
            Self::Case(refused) => refused.kind(),
            Self::Measure(refused) => refused.kind(),
            Self::Stale { .. } => ErrorKind::Aborted,
            Self::HouseholdMerged(_)
            | Self::BatchRefused { .. }
            | Self::RuleSetMissing(..)
            | Self::RuleSetInUse(_)
            | Self::Quality(_) => ErrorKind::FailedPrecondition,
            Self::Date(_, DateRefused::TooOld { .. }) | Self::HolidaysElsewhere(_) => ErrorKind::PermissionDenied,
            Self::RegionLevelWrong(_)
            | Self::Date(_, DateRefused::InFuture { .. })
            | Self::HouseholdNumberAmbiguous
            | Self::Field { .. }
            | Self::Row { .. }
            | Self::RuleSet(_)
            | Self::Holidays(_)
            | Self::Observation(_) => ErrorKind::Invalid,
            Self::Household(refused) => refused.kind(),
            Self::Merge(refused) => refused.kind(),
            Self::Import(refused) => refused.kind(),
            Self::Signal(refused) => refused.kind(),
            Self::Income(refused) => refused.kind(),
            Self::Request(error) => error.kind(),
            Self::Database(error) => database_kind(error),
            Self::Sealing(_) | Self::Corrupt(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::At { source, .. } => source.reason(),
            Self::RegionNotFound(_) => "REGION_NOT_FOUND",
            Self::RegionLevelWrong(_) => "REGION_LEVEL_WRONG",
            Self::HouseholdNotFound(_) | Self::HouseholdNumberNotFound => "HOUSEHOLD_NOT_FOUND",
            Self::HouseholdNumberAmbiguous => "HOUSEHOLD_NUMBER_AMBIGUOUS",
            Self::HouseholdMerged(_) => "HOUSEHOLD_MERGED",
            Self::RuleSetNotFound(_) => "RULE_SET_NOT_FOUND",
            Self::RuleSetMissing(..) => "RULE_SET_MISSING",
            Self::RuleSetInUse(_) => "RULE_SET_IN_USE",
            Self::VerdictNotFound(_) => "VERDICT_NOT_FOUND",
            Self::RuleSet(refused) => refused.reason(),
            Self::Holidays(refused) => refused.reason(),
            Self::HolidaysElsewhere(_) => "HOLIDAYS_ELSEWHERE",
            Self::Observation(refused) => refused.reason(),
            Self::Case(refused) => refused.reason(),
            Self::Measure(refused) => refused.reason(),
            Self::Stale { .. } => "VERSION_STALE",
            Self::Date(_, DateRefused::InFuture { .. }) => "DATE_IN_FUTURE",
            Self::Date(_, DateRefused::TooOld { .. }) => "HISTORY_NOT_ALLOWED",
            Self::Field { .. } | Self::Row { .. } => "INVALID_FIELDS",
            Self::BatchRefused { .. } => "BATCH_REFUSED",
            Self::Quality(_) => "DATA_QUALITY",
            Self::Signal(refused) => refused.reason(),
            Self::Income(refused) => refused.reason(),
            Self::Household(refused) => refused.reason(),
            Self::Merge(refused) => refused.reason(),
            Self::Import(refused) => refused.reason(),
            Self::Request(error) => error.reason(),
            Self::Database(_) if self.kind() == ErrorKind::Unavailable => "UNAVAILABLE",
            Self::Database(_) | Self::Sealing(_) | Self::Corrupt(_) => "INTERNAL",
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Date(field, _) | Self::Field { field, .. } => Some(field),
            Self::Row { field, .. } | Self::Household(household::Refused { field, .. }) => Some(field),
            Self::At { path, .. } => Some(path),
            Self::RegionNotFound(_) | Self::RegionLevelWrong(_) | Self::HouseholdNumberAmbiguous => Some("region_code"),
            Self::HouseholdNotFound(_) => Some("household_id"),
            Self::HouseholdNumberNotFound => Some("household_number"),
            Self::RuleSetNotFound(_) => Some("rule_set_id"),
            Self::VerdictNotFound(_) => Some("verdict_id"),
            Self::Merge(refused) => refused.field(),
            Self::Import(refused) => refused.field(),
            Self::Signal(refused) => refused.field(),
            Self::Income(refused) => Some(refused.field()),
            Self::RuleSet(refused) => Some(&refused.field),
            Self::RuleSetInUse(_) => Some("rule_set.effective_from"),
            Self::Holidays(_) => Some("holidays"),
            Self::Observation(refused) => Some(refused.field()),
            Self::Case(refused) => refused.field(),
            Self::Measure(refused) => refused.field(),
            Self::Request(error) => error.field(),
            Self::HouseholdMerged(_)
            | Self::Stale { .. }
            | Self::BatchRefused { .. }
            | Self::Quality(_)
            | Self::RuleSetMissing(..)
            | Self::HolidaysElsewhere(_)
            | Self::Sealing(_)
            | Self::Database(_)
            | Self::Corrupt(_) => None,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Request(error) => error.retry_after(),
            Self::At { source, .. } => source.retry_after(),
            _ => None,
        }
    }

    /// Whose number it is may lie outside the caller's region.
    fn told(&self) -> Option<Limited> {
        match self {
            Self::Household(household::Refused { why: household::Why::NumberTaken, .. }) => Some(Limited::LookUp),
            Self::At { source, .. } => source.told(),
            _ => None,
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        to_status(&error)
    }
}
