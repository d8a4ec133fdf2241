//! Imports each of whose rows is a command by itself.

use sqlx::PgConnection;

use super::{Accepted, ImportId, Imported};
use crate::{
    error::{Error, ServiceRefusal},
    request::{Command, Context, batch},
};

/// What is imported by commands, one for each row; for files that are small: each row takes statements of its own.
pub struct RowByRow<Draft, C> {
    /// What it is, as the table of imports names it.
    pub kind: &'static str,
    /// The command of a row.
    pub one: fn(Draft) -> C,
}

impl<Draft, R, C> Imported for RowByRow<Draft, C>
where
    Draft: Send + 'static,
    R: ServiceRefusal,
    C: Command<Error = Error<R>> + 'static,
    C::Policy: Send + Sync + 'static,
{
    type Policy = C::Policy;
    type Refused = R;
    type Ready = Draft;

    fn kind(&self) -> &'static str {
        self.kind
    }

    async fn keep(
        &mut self,
        conn: &mut PgConnection,
        context: &Context,
        policy: &C::Policy,
        _: ImportId,
        rows: Vec<Result<Draft, Error<R>>>,
    ) -> Result<Vec<Result<Accepted, Error<R>>>, Error<R>> {
        let outcomes = batch::each(conn, context, policy, rows, self.one).await?;
        Ok(outcomes.into_iter().map(|outcome| outcome.map(|done| Accepted::with(done.warnings))).collect())
    }
}
