//! Everything that can go wrong in pairing, and what the caller is told.

use std::{fmt::Display, time::Duration};

use tongxin_platform::{
    error::{ErrorKind, ServiceError, database_kind, to_status},
    limit::Limited,
    page::NotAPageToken,
    request::{DateRefused, RequestError},
};
use tongxin_proto::rules::{self, Violation};
use tonic::Status;

use crate::domain::{
    ActivityId, OrganisationId, PairingId,
    activity::CannotRecord,
    book::Overlaps,
    organisation::{HostKindError, Side},
    pairing::{CannotEnd, CannotPair, Unfit},
    period::EndBeforeStart,
    register::{RowCountWrong, RowError},
};

/// Everything that can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The region is not registered, or lies outside the caller's.
    #[error("region {0} does not exist: look at ListRegions, or import an edition of the register that has it")]
    RegionNotFound(String),

    /// The organisation does not exist, or lies outside the caller's region.
    #[error("organisation {0} does not exist: look at ListOrganisations, or register it first")]
    OrganisationNotFound(OrganisationId),

    /// The pairing does not exist, or lies outside the caller's region.
    #[error("pairing {0} does not exist: look at ListPairings, or establish it first")]
    PairingNotFound(PairingId),

    /// The activity does not exist, or lies outside the caller's region.
    #[error("joint activity {0} does not exist: look at ListJointActivities")]
    ActivityNotFound(ActivityId),

    /// The pairing has activities that count.
    #[error("the pairing has {0} joint activity(ies): void them first")]
    PairingHasActivities(i64),

    /// The installation has no such rule.
    #[error("there is no coverage rule {0:?}; there are: {1}")]
    CoverageRuleNotFound(String, String),

    /// Another open organisation has the code.
    #[error("another open organisation has the unified social credit code {0}: use that one, or close it first")]
    CreditCodeTaken(String),

    /// The draft of an organisation is not whole.
    #[error(transparent)]
    HostKind(#[from] HostKindError),

    /// The organisation still takes part in something.
    #[error("the organisation has {0} pairing(s) in force on or after that day: end them first")]
    OrganisationHasPairings(i64),

    /// The thing has changed since the caller read it.
    #[error("it has version {actual} by now, not {expected}: read it again")]
    Stale {
        /// What the caller expected.
        expected: i64,
        /// What it is.
        actual: i64,
    },

    /// The two cannot be paired.
    #[error(transparent)]
    CannotPair(#[from] CannotPair),

    /// The two are paired.
    #[error(transparent)]
    Overlaps(#[from] Overlaps),

    /// The pairing cannot be ended.
    #[error(transparent)]
    CannotEnd(#[from] CannotEnd),

    /// The activity cannot be recorded.
    #[error(transparent)]
    CannotRecord(#[from] CannotRecord),

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

    /// An end that is not after its start.
    #[error(transparent)]
    Order(EndBeforeStart),

    /// A row breaks rules of the contract.
    #[error("{text}")]
    Row {
        /// The first field that is wrong.
        field: String,
        /// What is wrong with each.
        text: String,
    },

    /// A newer edition of the register was taken.
    #[error(
        "an edition in force from {0} says something of the same regions: editions follow each other, so this one has to \
         be of that day or later"
    )]
    EditionOutdated(chrono::NaiveDate),

    /// The database lost rows of an import that is under way.
    #[error("rows of the import were lost")]
    RowsLost,

    /// Another replica has adopted other coverage rules since this one started.
    #[error(
        "another replica has adopted other coverage rules than this one was started with: \
         start this one again with the same, and it serves again"
    )]
    CoverageRulesOutdated,

    /// Something took place after the day on which the pairing is to end.
    #[error("a joint activity was held on {0}: the pairing ends after it")]
    ActivityAfterEnd(chrono::NaiveDate),

    /// Rows of an import are missing, or there are too many.
    #[error(transparent)]
    RowCount(#[from] RowCountWrong),

    /// Rows of an import are wrong.
    #[error("{0}")]
    RegionRows(String),

    /// Rows of an import are about regions outside the caller's, and others may be wrong.
    #[error("{0}")]
    RegionRowsElsewhere(String),

    /// A batch that is carried out as a whole has a row that is wrong.
    #[error("nothing was changed, because of row {row}: {text}")]
    BatchRefused {
        /// Number of the row, from 1.
        row: i64,
        /// What is wrong with it.
        text: String,
        /// What that tells of others.
        told: Option<Limited>,
    },

    /// The field stands elsewhere in the request than the error itself knows.
    #[error("{source}")]
    At {
        /// Path of the field from the request.
        path: String,
        /// What is wrong.
        source: Box<Self>,
    },

    /// What every changing request can meet with.
    #[error(transparent)]
    Request(#[from] RequestError),

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

    /// The same error. If it is about the identifier of the request, that stands in `message`, a field of
    /// the request.
    #[must_use]
    pub fn identified_in(self, message: &str) -> Self {
        if matches!(self, Self::Request(_)) { self.at(format!("{message}.request_id")) } else { self }
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

impl From<RowError> for Error {
    fn from(error: RowError) -> Self {
        Self::RegionRows(error.to_string())
    }
}

impl ServiceError for Error {
    const DOMAIN: &'static str = "pairing.tongxin";

    fn kind(&self) -> ErrorKind {
        match self {
            Self::RegionNotFound(_)
            | Self::OrganisationNotFound(_)
            | Self::PairingNotFound(_)
            | Self::ActivityNotFound(_)
            | Self::RegionRowsElsewhere(_)
            | Self::CoverageRuleNotFound(..) => ErrorKind::NotFound,
            Self::CreditCodeTaken(_) | Self::Overlaps(_) => ErrorKind::AlreadyExists,
            Self::Stale { .. } => ErrorKind::Aborted,
            Self::OrganisationHasPairings(_)
            | Self::CannotPair(_)
            | Self::EditionOutdated(_)
            | Self::ActivityAfterEnd(_)
            | Self::PairingHasActivities(_)
            | Self::CannotEnd(CannotEnd::Ended(_) | CannotEnd::Voided(_))
            | Self::BatchRefused { .. }
            | Self::CannotRecord(CannotRecord::NotInForce(_) | CannotRecord::Voided(_)) => {
                ErrorKind::FailedPrecondition
            }
            Self::Date(_, DateRefused::TooOld { .. }) => ErrorKind::PermissionDenied,
            Self::HostKind(_)
            | Self::CannotEnd(CannotEnd::Order(_))
            | Self::CannotRecord(CannotRecord::RemarkRequired)
            | Self::Date(_, DateRefused::InFuture { .. })
            | Self::Field { .. }
            | Self::Row { .. }
            | Self::Order(_)
            | Self::RowCount(_)
            | Self::RegionRows(_) => ErrorKind::Invalid,
            Self::At { source, .. } => source.kind(),
            Self::Request(error) => error.kind(),
            Self::Database(error) => database_kind(error),
            Self::RowsLost | Self::CoverageRulesOutdated => ErrorKind::Unavailable,
            Self::Corrupt(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::RegionNotFound(_) | Self::RegionRowsElsewhere(_) => "REGION_NOT_FOUND",
            Self::OrganisationNotFound(_) => "ORGANISATION_NOT_FOUND",
            Self::PairingNotFound(_) => "PAIRING_NOT_FOUND",
            Self::ActivityNotFound(_) => "ACTIVITY_NOT_FOUND",
            Self::PairingHasActivities(_) => "PAIRING_HAS_ACTIVITIES",
            Self::CannotEnd(CannotEnd::Voided(_)) | Self::CannotRecord(CannotRecord::Voided(_)) => "PAIRING_VOIDED",
            Self::CoverageRuleNotFound(..) => "COVERAGE_RULE_NOT_FOUND",
            Self::CreditCodeTaken(_) => "CREDIT_CODE_TAKEN",
            Self::HostKind(HostKindError::Required) => "HOST_KIND_REQUIRED",
            Self::HostKind(HostKindError::Refused) => "HOST_KIND_REFUSED",
            Self::OrganisationHasPairings(_) => "ORGANISATION_HAS_PAIRINGS",
            Self::Stale { .. } => "VERSION_STALE",
            Self::CannotPair(CannotPair { unfit: Unfit::Closed, .. }) => "ORGANISATION_CLOSED",
            Self::CannotPair(CannotPair { unfit: Unfit::WrongSide, .. }) => "ORGANISATION_SIDE_WRONG",
            Self::CannotPair(CannotPair { unfit: Unfit::WrongKind, .. }) => "ORGANISATION_KIND_WRONG",
            Self::CannotPair(CannotPair { unfit: Unfit::WrongRegion, .. }) => "RECIPIENT_REGION_WRONG",
            Self::CannotPair(CannotPair { unfit: Unfit::RegionWithdrawn(_), .. }) => "REGION_WITHDRAWN",
            Self::Overlaps(_) => "PAIRING_OVERLAPS",
            Self::CannotEnd(CannotEnd::Ended(_)) => "PAIRING_ENDED",
            Self::CannotEnd(CannotEnd::Order(_)) | Self::Order(_) => "DATE_ORDER",
            Self::CannotRecord(CannotRecord::NotInForce(_)) => "PAIRING_NOT_IN_FORCE",
            Self::CannotRecord(CannotRecord::RemarkRequired) => "REMARK_REQUIRED",
            Self::Date(_, DateRefused::InFuture { .. }) => "DATE_IN_FUTURE",
            Self::Date(_, DateRefused::TooOld { .. }) => "HISTORY_NOT_ALLOWED",
            Self::Field { .. } | Self::Row { .. } => "INVALID_FIELDS",
            Self::RowCount(_) => "ROW_COUNT_WRONG",
            Self::RegionRows(_) => "REGION_ROWS_INVALID",
            Self::EditionOutdated(_) => "EDITION_OUTDATED",
            Self::RowsLost => "UNAVAILABLE",
            Self::CoverageRulesOutdated => "COVERAGE_RULES_OUTDATED",
            Self::ActivityAfterEnd(_) => "ACTIVITY_AFTER_END",
            Self::BatchRefused { .. } => "BATCH_REFUSED",
            Self::At { source, .. } => source.reason(),
            Self::Request(error) => error.reason(),
            Self::Database(_) if self.kind() == ErrorKind::Unavailable => "UNAVAILABLE",
            Self::Database(_) | Self::Corrupt(_) => "INTERNAL",
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Date(field, _) | Self::Field { field, .. } => Some(field),
            Self::At { path, .. } => Some(path),
            Self::RegionNotFound(_) => Some("region_code"),
            Self::OrganisationNotFound(_) | Self::OrganisationHasPairings(_) => Some("organisation_id"),
            Self::PairingNotFound(_)
            | Self::PairingHasActivities(_)
            | Self::CannotEnd(CannotEnd::Ended(_) | CannotEnd::Voided(_))
            | Self::CannotRecord(CannotRecord::Voided(_)) => Some("pairing_id"),
            Self::CannotPair(CannotPair { side: Side::Supporter, .. }) => Some("supporter_id"),
            Self::CannotPair(CannotPair { side: Side::Recipient, .. }) | Self::Overlaps(_) => Some("recipient_id"),
            Self::ActivityNotFound(_) => Some("activity_id"),
            Self::CoverageRuleNotFound(..) => Some("rule"),
            Self::Stale { .. } => Some("expected_version"),
            Self::EditionOutdated(_) => Some("edition.effective_from"),
            Self::CreditCodeTaken(_) => Some("credit_code"),
            Self::HostKind(_) => Some("host_kind"),
            Self::CannotEnd(CannotEnd::Order(_)) | Self::Order(_) | Self::ActivityAfterEnd(_) => Some("ends_on"),
            Self::Row { field, .. } => Some(field),
            Self::CannotRecord(CannotRecord::NotInForce(_)) => Some("held_on"),
            Self::CannotRecord(CannotRecord::RemarkRequired) => Some("remark"),
            Self::RowCount(_) => Some("row_count"),
            Self::RegionRows(_) | Self::RegionRowsElsewhere(_) | Self::BatchRefused { .. } => Some("rows.rows"),
            Self::Request(error) => error.field(),
            Self::RowsLost | Self::CoverageRulesOutdated | Self::Database(_) | Self::Corrupt(_) => None,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Request(error) => error.retry_after(),
            Self::At { source, .. } => source.retry_after(),
            _ => None,
        }
    }

    /// Whose code it is may lie outside the caller's region.
    fn told(&self) -> Option<Limited> {
        match self {
            Self::CreditCodeTaken(_) => Some(Limited::LookUp),
            Self::BatchRefused { told, .. } => *told,
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
