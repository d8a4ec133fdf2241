//! Takes rows of an import: each row is accepted once, however often it is sent. One that was refused is decided anew.

use std::collections::BTreeSet;

use sqlx::{Connection as _, PgConnection};
use tongxin_proto::batch::v1::{ImportStatus, RowWarning};

use super::{
    ImportId,
    kept::{self, Decided, refused_at},
    progress::{Accepted, Progress},
};
use crate::{
    error::{Error, ErrorKind, Refusal as _, ServiceRefusal},
    limit::{self, Limited},
    request::{Command, Context, RequestError},
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

    /// Saves rows, and returns the outcome of each, in their order. Refusals that reveal something are counted by the
    /// caller of this.
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

/// How far a dry run has come, which is stored nowhere.
#[derive(Debug, Clone, Default)]
pub(super) struct DryRun {
    progress: Progress,
    /// Rows that stand refused.
    refused: BTreeSet<i64>,
}

/// Takes some rows of an import.
pub(super) struct TakeRows<I: Imported> {
    /// What is imported.
    pub imported: I,
    /// The import.
    pub import: ImportId,
    /// The dry run, if nothing is to be stored.
    pub dry_run: Option<DryRun>,
    /// Number of the first row, from 1.
    pub first_row: i64,
    /// The rows; one that could not be parsed is refused with the others.
    pub rows: Vec<Result<I::Ready, Error<I::Refused>>>,
}

/// How far an import has come.
pub(super) struct Taken<I> {
    /// What is imported.
    pub imported: I,
    /// The dry run, if it is one.
    pub dry_run: Option<DryRun>,
    /// How far it has come, with the rows that were refused and warned of this time.
    pub status: ImportStatus,
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
        let Self { mut imported, import, mut dry_run, first_row, rows } = self;
        let mut progress = match &dry_run {
            Some(dry_run) => dry_run.progress,
            None => kept::lock(conn, context, import, imported.kind()).await?,
        };
        let next_row = progress.next_row(first_row)?;
        let until = first_row.saturating_add(i64::try_from(rows.len()).unwrap_or(i64::MAX));
        let sent_before = first_row..next_row.min(until).max(first_row);
        let stood_refused = match &dry_run {
            Some(dry_run) => dry_run.refused.range(sent_before).copied().collect(),
            None if sent_before.is_empty() => BTreeSet::new(),
            None => kept::refused(conn, context, import, sent_before).await?,
        };
        let is_open = |(row, _): &(i64, _)| *row >= next_row || stood_refused.contains(row);
        let (numbers, rows): (Vec<i64>, Vec<_>) = (first_row..).zip(rows).filter(is_open).unzip();

        let outcomes = if rows.is_empty() {
            Vec::new()
        } else if dry_run.is_some() {
            // What it reveals is counted once the trial is rolled back, and the locks of the trial with it.
            limit::lock(conn, context).await?;
            let mut trial = conn.begin().await?;
            let outcomes = imported.keep(&mut trial, context, policy, import, rows).await?;
            trial.rollback().await?;
            outcomes
        } else {
            imported.keep(conn, context, policy, import, rows).await?
        };
        // A dry run reveals as much.
        count_told(conn, context, &outcomes).await?;

        let mut decided = Decided::default();
        for (row, outcome) in numbers.into_iter().zip(outcomes) {
            let stood_refused = stood_refused.contains(&row);
            progress.count(&outcome, stood_refused);
            decided.add(context, row, outcome, stood_refused)?;
        }
        match &mut dry_run {
            Some(dry_run) => dry_run.take(progress, &decided),
            None => kept::save(conn, context, (import, progress), &decided).await?,
        }
        let Decided { errors, warnings, .. } = decided;
        Ok(Taken { imported, dry_run, status: ImportStatus { errors, warnings, ..progress.status(import) } })
    }
}

/// Counts the refusals that reveal something against the caller's limits.
async fn count_told<R: ServiceRefusal>(
    conn: &mut PgConnection,
    context: &Context,
    outcomes: &[Result<Accepted, Error<R>>],
) -> Result<(), RequestError> {
    for what in [Limited::LookUp, Limited::Reveal] {
        let tells = |error: &&Error<R>| error.stated().told == Some(what);
        let uses = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).filter(tells).count();
        if uses > 0 {
            limit::add(conn, context, what, u32::try_from(uses).unwrap_or(u32::MAX)).await?;
        }
    }
    Ok(())
}

impl Decided {
    /// Adds the outcome of a row. An internal error refuses no row: the rows will be sent again.
    fn add<R: ServiceRefusal>(
        &mut self,
        context: &Context,
        row: i64,
        outcome: Result<Accepted, Error<R>>,
        stood_refused: bool,
    ) -> Result<(), Error<R>> {
        match outcome {
            Ok(Accepted { warnings, .. }) => {
                if !warnings.is_empty() {
                    let rules = warnings.into_iter().map(Into::into).collect();
                    self.warnings.push(RowWarning { row, rules });
                }
                if stood_refused {
                    self.redeemed.push(row);
                }
            }
            Err(error) if matches!(error.stated().kind, ErrorKind::Internal | ErrorKind::Unavailable) => {
                return Err(error);
            }
            Err(error) => self.errors.push(refused_at(error.of_row(row), context.now)),
        }
        Ok(())
    }
}

impl DryRun {
    fn take(&mut self, progress: Progress, decided: &Decided) {
        self.progress = progress;
        self.refused.extend(decided.errors.iter().map(|error| error.row));
        for row in &decided.redeemed {
            self.refused.remove(row);
        }
    }
}
