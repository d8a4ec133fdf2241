//! Everything that can go wrong in the gateway, and what the caller is told.

use std::error::Error as StdError;

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

    /// A body that is not in the form that its head promises. What it holds instead is not repeated.
    #[error("the body cannot be read: {0}")]
    MessageMalformed(&'static str),

    /// More messages of a stream in one body than are taken so.
    #[error("the array has more than {0} messages: put more rows into each, or send fewer at once")]
    TooManyMessages(usize),

    /// A message with more bytes than are taken, packed or unpacked.
    #[error("the message has more than {0} bytes: send less at once")]
    MessageTooLarge(usize),

    /// The body did not come to its end.
    #[error("the body could not be read")]
    BodyBroken(#[source] Status),

    /// A header that says how a call is made, with a value that it cannot have.
    #[error("{name} {fault}")]
    HeaderInvalid {
        /// The header.
        name: &'static str,
        /// What is wrong with it.
        fault: &'static str,
    },

    /// A compression that is not known here.
    #[error("{0} names a compression that is not known here: send gzip or identity")]
    CompressionUnknown(&'static str),

    /// A method that takes or answers a stream where its form has none, or the reverse.
    #[error("{fault}: send {instead}")]
    FormWrong {
        /// Why the form does not do.
        fault: &'static str,
        /// Content types that do.
        instead: &'static str,
    },

    /// Another service cannot be reached.
    #[error("a service cannot be reached")]
    UpstreamUnavailable(#[from] tonic::transport::Error),

    /// An answer with more bytes than are passed on.
    #[error("the answer is too large: ask for less at once")]
    AnswerTooLarge,

    /// An answer does not have the form that the contract gives it.
    #[error("an answer cannot be passed on")]
    AnswerMalformed(#[source] Box<dyn StdError + Send + Sync>),

    /// What takes a message apart did not come to its end.
    #[error("a message could not be taken apart")]
    WorkBroken(#[from] tokio::task::JoinError),

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
            | Self::MessageMalformed(_)
            | Self::TooManyMessages(_)
            | Self::BodyBroken(_)
            | Self::HeaderInvalid { .. } => ErrorKind::Invalid,
            Self::CompressionUnknown(_) | Self::FormWrong { .. } => ErrorKind::Unimplemented,
            Self::MessageTooLarge(_) | Self::AnswerTooLarge => ErrorKind::ResourceExhausted,
            Self::UpstreamUnavailable(_) => ErrorKind::Unavailable,
            Self::AnswerMalformed(_) | Self::WorkBroken(_) => ErrorKind::Internal,
            Self::Database(error) => database_kind(error),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::RegionNotFound(_) => "REGION_NOT_FOUND",
            Self::NotARegion(_) => "REGION_CODE_INVALID",
            Self::DateInFuture(_) => "DATE_IN_FUTURE",
            Self::NotADate => "DATE_INVALID",
            Self::JsonMalformed { .. } | Self::MessageMalformed(_) | Self::BodyBroken(_) => "MESSAGE_MALFORMED",
            Self::TooManyMessages(_) => "TOO_MANY_MESSAGES",
            Self::MessageTooLarge(_) => "MESSAGE_TOO_LARGE",
            Self::HeaderInvalid { .. } => "HEADER_INVALID",
            Self::CompressionUnknown(_) => "COMPRESSION_UNKNOWN",
            Self::FormWrong { .. } => "CONTENT_TYPE_WRONG",
            Self::AnswerTooLarge => "ANSWER_TOO_LARGE",
            Self::UpstreamUnavailable(_) => "SERVICE_UNAVAILABLE",
            Self::AnswerMalformed(_) | Self::WorkBroken(_) | Self::Database(_) => "INTERNAL",
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::NotARegion(_) | Self::RegionNotFound(_) => Some("region_code"),
            Self::DateInFuture(_) | Self::NotADate => Some("as_of"),
            Self::JsonMalformed { .. }
            | Self::MessageMalformed(_)
            | Self::TooManyMessages(_)
            | Self::MessageTooLarge(_)
            | Self::WorkBroken(_)
            | Self::BodyBroken(_)
            | Self::HeaderInvalid { .. }
            | Self::CompressionUnknown(_)
            | Self::FormWrong { .. }
            | Self::UpstreamUnavailable(_)
            | Self::AnswerTooLarge
            | Self::AnswerMalformed(_)
            | Self::Database(_) => None,
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        to_status(&error)
    }
}
