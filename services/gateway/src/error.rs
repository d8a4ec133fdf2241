//! Everything that can go wrong in the gateway, and what the caller is told.

use chrono::NaiveDate;
use tongxin_platform::{
    error::{ErrorKind, ServiceError, database_kind, to_status},
    region::{NotARegionCode, RegionCode},
};
use tonic::Status;

/// What can go wrong in the gateway.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none, or it lies outside of the caller's.
    #[error(
        "region {0} does not exist: look at ListRegions of pairing, or import an edition of the register that has it"
    )]
    RegionNotFound(RegionCode),

    /// Text that names no region.
    #[error(transparent)]
    NotARegion(#[from] NotARegionCode),

    /// The day has not come yet.
    #[error("{0} is in the future: figures are known up to today")]
    DateInFuture(NaiveDate),

    /// Numbers that name no day.
    #[error("as_of is no day of the calendar: year, month and day are needed")]
    NotADate,

    /// A body that is not the message in JSON. What it holds instead is not repeated: it may be of a person.
    #[error("the body is not the JSON form of {message}: in line {line}, column {column} {fault}")]
    JsonMalformed {
        /// Full name of the message.
        message: String,
        /// Line of the body, from 1.
        line: usize,
        /// Column of the line.
        column: usize,
        /// What is wrong there.
        fault: &'static str,
    },

    /// A body with more bytes than are taken.
    #[error("the message has more than {0} bytes: send less at once")]
    MessageTooLarge(usize),

    /// The body did not come to its end.
    #[error("the body could not be read")]
    BodyBroken(#[source] axum::Error),

    /// Another service cannot be reached.
    #[error("a service cannot be reached")]
    UpstreamUnavailable(#[from] tonic::transport::Error),

    /// An answer does not have the form that the contract gives it.
    #[error("an answer cannot be written as JSON")]
    AnswerMalformed(#[from] serde_json::Error),

    /// Postgres failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl ServiceError for Error {
    const DOMAIN: &'static str = "gateway.tongxin";

    fn kind(&self) -> ErrorKind {
        match self {
            Self::RegionNotFound(_) => ErrorKind::NotFound,
            Self::NotARegion(_)
            | Self::DateInFuture(_)
            | Self::NotADate
            | Self::JsonMalformed { .. }
            | Self::BodyBroken(_) => ErrorKind::Invalid,
            Self::MessageTooLarge(_) => ErrorKind::ResourceExhausted,
            Self::UpstreamUnavailable(_) => ErrorKind::Unavailable,
            Self::AnswerMalformed(_) => ErrorKind::Internal,
            Self::Database(error) => database_kind(error),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::RegionNotFound(_) => "REGION_NOT_FOUND",
            Self::NotARegion(_) => "REGION_CODE_INVALID",
            Self::DateInFuture(_) => "DATE_IN_FUTURE",
            Self::NotADate => "DATE_INVALID",
            Self::JsonMalformed { .. } | Self::BodyBroken(_) => "MESSAGE_MALFORMED",
            Self::MessageTooLarge(_) => "MESSAGE_TOO_LARGE",
            Self::UpstreamUnavailable(_) => "SERVICE_UNAVAILABLE",
            Self::AnswerMalformed(_) | Self::Database(_) => "INTERNAL",
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::NotARegion(_) | Self::RegionNotFound(_) => Some("region_code"),
            Self::DateInFuture(_) | Self::NotADate => Some("as_of"),
            Self::JsonMalformed { .. }
            | Self::MessageTooLarge(_)
            | Self::BodyBroken(_)
            | Self::UpstreamUnavailable(_)
            | Self::AnswerMalformed(_)
            | Self::Database(_) => None,
        }
    }
}

impl Error {
    /// What a caller is told. Why a body was not read to its end stands in what broke it, if that was the door.
    #[must_use]
    pub fn into_status(self) -> Status {
        if let Self::BodyBroken(error) = &self {
            let mut cause = Some(error as &(dyn std::error::Error + 'static));
            while let Some(error) = cause {
                if let Some(status) = error.downcast_ref::<Status>() {
                    return status.clone();
                }
                cause = error.source();
            }
        }
        to_status(&self)
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        to_status(&error)
    }
}
