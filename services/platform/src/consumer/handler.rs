//! What a service does with the events that it follows.

use sqlx::PgConnection;

use super::Envelope;

/// Reacts to the events of a source.
pub trait EventHandler: Send + Sync + 'static {
    /// Keeps the effects of events, in their order, within the transaction that `conn` is in.
    ///
    /// # Errors
    /// [`HandlerError::Rejected`] for an event that can never be handled as it is.
    fn handle(
        &self,
        conn: &mut PgConnection,
        events: &[Envelope],
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;

    /// Forgets all that the source's events led to, because its log begins anew. The events of the new log are
    /// handled in the same transaction, so nobody sees less meanwhile.
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
    /// The event is at fault: it is parked, and with it its aggregate.
    #[error("{0}")]
    Rejected(String),
    /// The database is at fault, or refuses the event.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl HandlerError {
    /// An event that cannot be handled, and why.
    #[expect(clippy::needless_pass_by_value, reason = "`map_err(HandlerError::reject)` reads well")]
    pub fn reject(reason: impl ToString) -> Self {
        Self::Rejected(reason.to_string())
    }
}
