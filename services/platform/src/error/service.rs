//! The errors of a service.

use std::fmt::Display;

use tongxin_proto::{
    batch::v1::RowError,
    rules::{self, Violation},
};
use tonic::Status;

use super::{ErrorKind, Listed, Refusal, ServiceRefusal, Stated, chain::stated_of_database, common, status::to_status};
use crate::{
    import::ImportRefused,
    limit::{LimitReached, Limited},
    page::NotAPageToken,
    personal,
    register::RegionRefused,
    request::{DateRefused, RequestError},
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

/// Everything that can go wrong in a service: its own refusals, and what every service answers alike.
#[derive(Debug, thiserror::Error)]
pub enum Error<R: ServiceRefusal> {
    /// The service refuses.
    #[error(transparent)]
    Refused(R),

    /// The thing has changed since the caller read it.
    #[error("it has version {actual} by now, not {expected}: read it again")]
    Stale {
        /// What the caller expected.
        expected: i64,
        /// What it is.
        actual: i64,
    },

    /// A business date may not be entered.
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

    /// An import does not go on.
    #[error(transparent)]
    Import(#[from] ImportRefused),

    /// A region is not there, or not any more.
    #[error(transparent)]
    Region(#[from] RegionRefused),

    /// Postgres failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),

    /// Something sealed does not open, or cannot be sealed.
    #[error("sealing failed")]
    Sealing(#[from] personal::Error),

    /// A row of the database is not what it should be.
    #[error("the database holds {0}")]
    Corrupt(String),
}

impl<R: ServiceRefusal> Error<R> {
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
        match self.stated().field.map(|field| format!("{message}.{field}")) {
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

    /// What the caller is told of a row that is refused.
    #[must_use]
    pub fn of_row(&self, row: i64) -> RowError {
        let Stated { reason, field, .. } = self.stated();
        RowError::new(row, reason, field.unwrap_or_default(), &self.to_string())
    }

    /// A row's error as the reason to refuse the whole batch.
    #[must_use]
    pub fn of_batch(&self, row: i64) -> Self {
        Self::BatchRefused { row, text: self.to_string(), told: self.stated().told }
    }

    /// The refusal, wherever in the request its field stands.
    #[must_use]
    pub fn refusal(&self) -> Option<&R> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::At { source, .. } => source.refusal(),
            _ => None,
        }
    }
}

impl<R: ServiceRefusal> Refusal for Error<R> {
    fn stated(&self) -> Stated<'_> {
        match self {
            Self::Refused(refusal) => refusal.stated(),
            Self::Stale { .. } => VERSION_STALE.stated().about("expected_version"),
            Self::Date(field, refused) => refused.stated().about(field),
            Self::Field { field, .. } => common::INVALID_FIELDS.stated().about(field),
            Self::Row { field, .. } => common::INVALID_FIELDS.stated().about(field),
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

impl<R: ServiceRefusal> From<Error<R>> for Status {
    fn from(error: Error<R>) -> Self {
        to_status(&error)
    }
}
