//! The errors of a service.

use std::fmt::Display;

use super::{ErrorKind, Listed, Refusal, ServiceRefusal, Stated, chain::stated_of_database, common};
use crate::{
    import::ImportRefused,
    limit::{LimitReached, Limited},
    page::NotAPageToken,
    personal,
    register::{RegionError, RegionRefused},
    request::{DateRefused, RequestError},
};
use tongxin_proto::{
    batch::v1::RowError,
    rules::{self, DATE_TOO_EARLY, Violation},
};

const VERSION_STALE: Listed = Listed {
    reason: "VERSION_STALE",
    kind: ErrorKind::Aborted,
    when: "The record has another version than expected_version says: somebody changed it.",
};

const BATCH_REFUSED: Listed = Listed {
    reason: "BATCH_REFUSED",
    kind: ErrorKind::FailedPrecondition,
    when: "A row of a batch with all_or_nothing is refused; the text names the row and says why.",
};

/// Everything that can go wrong in a service: its own refusals, and the errors that every service has.
#[derive(Debug, thiserror::Error)]
pub enum Error<R: ServiceRefusal> {
    /// One of the service's refusals.
    #[error(transparent)]
    Refused(R),

    /// The record has changed since the caller read it.
    #[error("it has version {actual} by now, not {expected}: read it again")]
    Stale {
        /// The version that the caller expected.
        expected: i64,
        /// The current version.
        actual: i64,
    },

    /// A business date outside the entry window, or in the future.
    #[error("{0}: {1}")]
    Date(&'static str, #[source] DateRefused),

    /// An invalid field that no rule of the contract can check.
    #[error("{field} {text}")]
    Field {
        /// Path of the field.
        field: &'static str,
        /// What is wrong with the field.
        text: String,
    },

    /// A row that breaks rules of the contract.
    #[error("{text}")]
    Row {
        /// What the rules that it breaks have in common.
        listed: Listed,
        /// The first invalid field.
        field: String,
        /// What is wrong with each of the fields.
        text: String,
    },

    /// A row that is about the same as an earlier one of its message, with the number of that one where it is known.
    #[error("{} is about the same: state it once", earlier_row(*.0))]
    RowTwice(Option<i64>),

    /// An all-or-nothing batch with an invalid row.
    #[error("nothing was changed, because of row {row}: {text}")]
    BatchRefused {
        /// Number of the row, from 1.
        row: i64,
        /// What is wrong with the row.
        text: String,
        /// The limit that the row's refusal counts against.
        told: Option<Limited>,
    },

    /// Overrides the field path, for errors in nested messages.
    #[error("{source}")]
    At {
        /// Path of the field from the request.
        path: String,
        /// The original error.
        source: Box<Self>,
    },

    /// Errors of any changing request.
    #[error(transparent)]
    Request(#[from] RequestError),

    /// Why an import does not continue.
    #[error(transparent)]
    Import(#[from] ImportRefused),

    /// A region is not there, or not any more.
    #[error(transparent)]
    Region(#[from] RegionRefused),

    /// Postgres failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),

    /// Sealed data cannot be opened, or data cannot be sealed.
    #[error("sealing failed")]
    Sealing(#[from] personal::Error),

    /// A row of the database is invalid.
    #[error("the database holds {0}")]
    Corrupt(String),
}

impl<R: ServiceRefusal> Error<R> {
    /// An invalid field that no rule of the contract can check.
    pub fn field(field: &'static str, text: impl Display) -> Self {
        Self::Field { field, text: text.to_string() }
    }

    /// The same error with another field path.
    #[must_use]
    pub fn at(self, path: impl Into<String>) -> Self {
        Self::At { path: path.into(), source: Box::new(self) }
    }

    /// The same error, with its field path prefixed by `message`, a field of the request. `request_id` is a field of
    /// the request itself, so errors about it are left as they are.
    #[must_use]
    pub fn within(self, message: &str) -> Self {
        match self.stated().field.map(|field| format!("{message}.{field}")) {
            Some(path) if !matches!(self, Self::Request(_)) => self.at(path),
            _ => self,
        }
    }

    /// The same error; if it is about `request_id`, the field path is prefixed by `message`, a field of the request.
    #[must_use]
    pub fn identified_in(self, message: &str) -> Self {
        if matches!(self, Self::Request(_)) { self.at(format!("{message}.request_id")) } else { self }
    }

    /// A row of a batch that breaks rules of the contract.
    #[must_use]
    pub fn row(violations: &[Violation]) -> Self {
        Self::Row {
            listed: if rules::reason(violations) == DATE_TOO_EARLY {
                common::DATE_TOO_EARLY
            } else {
                common::INVALID_FIELDS
            },
            field: violations.first().map(|broken| broken.field.clone()).unwrap_or_default(),
            text: rules::summary(violations),
        }
    }

    /// The error of a refused row, as callers see it.
    #[must_use]
    pub fn of_row(&self, row: i64) -> RowError {
        let Stated { reason, field, .. } = self.stated();
        RowError::new(row, reason, field.unwrap_or_default(), &self.to_string())
    }

    /// A row's error, as the reason to refuse the whole batch.
    #[must_use]
    pub fn of_batch(&self, row: i64) -> Self {
        Self::BatchRefused { row, text: self.to_string(), told: self.stated().told }
    }

    /// The refusal, whatever its field path.
    #[must_use]
    pub fn refusal(&self) -> Option<&R> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::At { source, .. } => source.refusal(),
            _ => None,
        }
    }
}

fn earlier_row(number: Option<i64>) -> String {
    number.map_or_else(|| "an earlier row of the message".to_owned(), |number| format!("row {number}"))
}

impl<R: ServiceRefusal> Refusal for Error<R> {
    fn stated(&self) -> Stated<'_> {
        match self {
            Self::Refused(refusal) => refusal.stated(),
            Self::Stale { .. } => VERSION_STALE.stated().about("expected_version"),
            Self::Date(field, refused) => refused.stated().about(field),
            Self::Field { field, .. } => common::INVALID_FIELDS.stated().about(field),
            Self::RowTwice(_) => common::ROW_TWICE.stated(),
            Self::Row { listed, field, .. } => listed.stated().about(field),
            Self::BatchRefused { told, .. } => Stated { told: *told, ..BATCH_REFUSED.stated().about("rows.rows") },
            Self::At { path, source } => source.stated().about(path),
            Self::Request(error) => error.stated(),
            Self::Import(refused) => refused.stated(),
            Self::Region(refused) => refused.stated(),
            Self::Database(error) => stated_of_database(error),
            Self::Sealing(_) | Self::Corrupt(_) => common::INTERNAL.stated(),
        }
    }

    fn all() -> Vec<Listed> {
        let shared = [DateRefused::all(), ImportRefused::all(), LimitReached::all(), RegionRefused::all()].concat();
        [R::all(), shared, vec![VERSION_STALE, BATCH_REFUSED]].concat()
    }
}

impl<R: ServiceRefusal> From<R> for Error<R> {
    fn from(refusal: R) -> Self {
        Self::Refused(refusal)
    }
}

impl<R: ServiceRefusal> From<NotAPageToken> for Error<R> {
    fn from(error: NotAPageToken) -> Self {
        Self::field("page_token", error)
    }
}

impl<R: ServiceRefusal> From<RegionError> for Error<R> {
    fn from(error: RegionError) -> Self {
        match error {
            RegionError::Refused(refused) => refused.into(),
            RegionError::Database(error) => error.into(),
        }
    }
}
