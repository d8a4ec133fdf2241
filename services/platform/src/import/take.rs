//! Takes rows of an import: each row is decided once, however often it is sent.

use sqlx::{Connection as _, PgConnection};
use tongxin_proto::batch::v1::RowError;

use super::{
    ImportId, kept,
    progress::{Accepted, Progress},
};
use crate::{
    error::{Error, ErrorKind, Refusal as _, ServiceRefusal},
    request::{Command, Context},
};

/// Something that is imported row by row. Its state lasts from message to message of one call.
pub trait Imported: Send + 'static {
    /// What the service decides by.
    type Policy: Send + Sync + 'static;

    /// The refusals of rows.
    type Refused: ServiceRefusal;

    /// A row that passed every check that needs no database.
    type Ready: Send + 'static;

    /// Its name in the table of imports.
    fn kind(&self) -> &'static str;

    /// Saves rows, and returns the outcome of each, in their order.
    fn keep(
        &mut self,
        conn: &mut PgConnection,
        context: &Context,
        policy: &Self::Policy,
        import: ImportId,
        rows: Vec<Result<Self::Ready, Error<Self::Refused>>>,
    ) -> impl Future<Output = Kept<Self::Refused>> + Send;
}

/// The outcome of each row, in their order.
pub type Kept<R> = Result<Vec<Result<Accepted, Error<R>>>, Error<R>>;

/// Takes some rows of an import.
pub(super) struct TakeRows<I: Imported> {
    /// What is imported.
    pub imported: I,
    /// The import.
    pub import: ImportId,
    /// Progress of a dry run, which is stored nowhere; `None` if rows are stored.
    pub dry: Option<Progress>,
    /// Number of the first row, from 1.
    pub first_row: i64,
    /// The rows; one that could not be parsed is refused with the others.
    pub rows: Vec<Result<I::Ready, Error<I::Refused>>>,
}

/// How far an import has come.
pub(super) struct Taken<I> {
    /// What is imported.
    pub imported: I,
    /// How far it has come.
    pub progress: Progress,
    /// Rows that were refused this time.
    pub errors: Vec<RowError>,
}

impl<I: Imported> Command for TakeRows<I> {
    type Policy = I::Policy;
    type Output = Taken<I>;
    type Error = Error<I::Refused>;

    async fn apply(
        self,
        conn: &mut PgConnection,
        context: &Context,
        policy: &I::Policy,
    ) -> Result<Taken<I>, Error<I::Refused>> {
        let Self { mut imported, import, dry, first_row, mut rows } = self;
        let mut progress = match dry {
            Some(progress) => progress,
            None => kept::lock(conn, context, import, imported.kind()).await?,
        };
        let skipped = progress.already_taken(first_row)?.min(rows.len());
        let first_row = progress.rows_taken() + 1;
        let rows: Vec<_> = rows.drain(skipped..).collect();

        let outcomes = if dry.is_some() {
            let mut trial = conn.begin().await?;
            let outcomes = imported.keep(&mut trial, context, policy, import, rows).await?;
            trial.rollback().await?;
            outcomes
        } else {
            imported.keep(conn, context, policy, import, rows).await?
        };
        let errors = refused(first_row, outcomes, &mut progress)?;
        if dry.is_none() {
            kept::save(conn, context, (import, progress), &errors).await?;
        }
        Ok(Taken { imported, progress, errors })
    }
}

/// Counts the outcomes and collects refused rows. An internal error refuses no row: the rows will be sent again.
fn refused<R: ServiceRefusal>(
    first_row: i64,
    outcomes: Vec<Result<Accepted, Error<R>>>,
    progress: &mut Progress,
) -> Result<Vec<RowError>, Error<R>> {
    let mut errors = Vec::new();
    for (row, outcome) in (first_row..).zip(outcomes) {
        progress.count(&outcome);
        let Err(error) = outcome else { continue };
        if matches!(error.stated().kind, ErrorKind::Internal | ErrorKind::Unavailable) {
            return Err(error);
        }
        errors.push(error.of_row(row));
    }
    Ok(errors)
}
