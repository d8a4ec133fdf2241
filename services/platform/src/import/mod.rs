//! Resumable imports: many rows, each of which is accepted once, however often it is sent.
//!
//! The caller chooses an identifier, sends options and then numbered rows, and receives the progress after each
//! message. A service implements [`Imported`] for what it imports, and responds with [`answer`].

mod kept;
mod progress;
mod row_by_row;
mod stream;
mod take;

pub use kept::status;
pub use progress::{Accepted, Effect, ImportRefused, Warning};
pub use row_by_row::RowByRow;
pub use stream::answer;
pub use take::Imported;

/// Identifies an import among those of one caller, who chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ImportId(pub uuid::Uuid);

impl ImportId {
    /// Identifies the import of a caller among those of all callers, as the aggregate of its events.
    #[must_use]
    pub fn aggregate(self, actor: &str) -> uuid::Uuid {
        uuid::Uuid::new_v5(&self.0, actor.as_bytes())
    }
}

impl std::fmt::Display for ImportId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}
