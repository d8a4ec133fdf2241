//! What a service does with the events of another one.

use sqlx::PgConnection;

use super::Envelope;

/// Projects the events of a source.
pub trait EventHandler: Send + Sync + 'static {
    /// Stores the effects of events, in their order, in the transaction of `conn`.
    ///
    /// # Errors
    /// [`HandlerError::Rejected`] for an event that can never be handled as it is.
    fn handle(
        &self,
        conn: &mut PgConnection,
        events: &[Envelope],
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;

    /// Deletes all effects of the source's events, because its log has a new epoch. The events of the new log are
    /// handled in the same transaction, so no reader sees fewer meanwhile.
    ///
    /// # Errors
    /// When Postgres fails.
    fn forget(
        &self,
        conn: &mut PgConnection,
        source: &'static str,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

/// Why events were not handled.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// The event is invalid: it is parked, and later events of its aggregate with it.
    #[error("{0}")]
    Rejected(String),
    /// The database fails, or refuses the event.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl HandlerError {
    /// An event that cannot be handled, with the reason.
    #[expect(clippy::needless_pass_by_value, reason = "`map_err(HandlerError::reject)` reads well")]
    pub fn reject(reason: impl ToString) -> Self {
        Self::Rejected(reason.to_string())
    }
}
