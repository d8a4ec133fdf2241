//! Merges an edition of the register whose rows were set aside.

use sqlx::PgConnection;
use tongxin_platform::request::{Command, Context};
use uuid::Uuid;

use super::Policy;
use crate::{
    domain::register::Edition,
    error::Error,
    store::register_import::{self, Merged, Watcher},
};

/// Merges an edition into the register.
pub struct ImportRegions {
    /// The id under which the rows were set aside.
    pub import: Uuid,
    /// Number of rows that have to be there.
    pub received: i64,
    /// The idempotency key, which is stored with the edition.
    pub request_id: Uuid,
    pub edition: Edition,
    /// Is called with the progress.
    pub watcher: Watcher,
}

impl Command for ImportRegions {
    type Policy = Policy;
    type Output = Merged;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Merged, Error> {
        policy.check_date("edition.effective_from", self.edition.effective_from, context)?;
        let ids = (self.import, self.request_id);
        register_import::merge(conn, context, ids, self.received, &self.edition, &policy.coverage, &self.watcher).await
    }
}
