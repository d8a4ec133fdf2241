//! What can go wrong with any changing request.

use crate::{
    error::{Listed, Refusal, Stated, common, stated_of_database},
    limit::LimitReached,
};

/// Errors of any changing request.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The idempotency key belongs to another request.
    #[error("request_id was used for another request: choose a new one")]
    Reused,
    /// A stored response cannot be decoded.
    #[error("the answer kept for a request cannot be read")]
    Answer(#[from] prost::DecodeError),
    /// The request was stored under a key that is not loaded.
    #[error("request key version {0} is not loaded")]
    NoSuchKey(i64),
    /// The command panicked.
    #[error("carrying out a request panicked")]
    Panicked(#[source] tokio::task::JoinError),
    /// The caller's hourly limit is reached.
    #[error(transparent)]
    LimitReached(#[from] LimitReached),
    /// Postgres failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl Refusal for RequestError {
    fn stated(&self) -> Stated<'_> {
        match self {
            Self::Reused => common::REQUEST_ID_REUSED.stated().about("request_id"),
            Self::LimitReached(reached) => reached.stated(),
            Self::Database(error) => stated_of_database(error),
            Self::Answer(_) | Self::NoSuchKey(_) | Self::Panicked(_) => common::INTERNAL.stated(),
        }
    }

    fn all() -> Vec<Listed> {
        [vec![common::REQUEST_ID_REUSED], LimitReached::all()].concat()
    }
}
