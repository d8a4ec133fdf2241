//! Calls a handler, and says whether an event or something else is to blame for a failure.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use sqlx::PgConnection;
use tracing::Instrument as _;

use super::{Envelope, EventHandler, HandlerError, fault::Fault};
use crate::{error::chain, telemetry::follow_span};

/// Calls the handler; a panic in it counts as a fault of the event.
pub(super) async fn handle<H: EventHandler>(
    handler: &H,
    name: &'static str,
    conn: &mut PgConnection,
    events: &[Envelope],
) -> Result<(), ApplyError> {
    let causes = events.iter().map(|event| event.trace_parent.as_str());
    let work = handler.handle(conn, events).instrument(follow_span(name, causes));
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(ApplyError::Event("the handler panicked".to_owned())),
    }
}

/// Why an event was not handled.
#[derive(Debug)]
pub(super) enum ApplyError {
    /// The event itself: retrying is useless.
    Event(String),
    /// Something else, which is retried.
    Fault(Fault),
}

impl From<sqlx::Error> for ApplyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl From<Fault> for ApplyError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<HandlerError> for ApplyError {
    fn from(error: HandlerError) -> Self {
        match error {
            HandlerError::Rejected(reason) => Self::Event(reason),
            HandlerError::Database(error) if refuses_content(&error) => Self::Event(chain(&error)),
            HandlerError::Database(error) => Self::Fault(error.into()),
        }
    }
}

/// Classes 22 (bad data) and 23 (broken constraint) recur however often one retries.
fn refuses_content(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}
