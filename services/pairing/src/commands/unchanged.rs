//! Rows of imports that are about something that is kept, apart from those that are new.

use tongxin_platform::import::Accepted;

use crate::error::Error;

/// The outcomes of rows; `None` where a row is new and waits to be written.
pub(super) type Outcomes = Vec<Option<Result<Accepted, Error>>>;

/// Sorts rows: `new_of` returns what is to be written of a row, and nothing if it says what is kept.
pub(super) fn sort<Row, Draft>(
    rows: Vec<Result<Row, Error>>,
    new_of: impl Fn(Row) -> Result<Option<Draft>, Error>,
) -> (Outcomes, Vec<Draft>) {
    let mut outcomes = Vec::with_capacity(rows.len());
    let mut new = Vec::new();
    for row in rows {
        outcomes.push(match row.and_then(&new_of) {
            Ok(Some(draft)) => {
                new.push(draft);
                None
            }
            Ok(None) => Some(Ok(Accepted::unchanged())),
            Err(error) => Some(Err(error)),
        });
    }
    (outcomes, new)
}

/// The outcomes of all rows, once the new ones were written.
pub(super) fn join(outcomes: Outcomes, written: Vec<Result<Accepted, Error>>) -> Vec<Result<Accepted, Error>> {
    let mut written = written.into_iter();
    let mut next = || written.next().unwrap_or_else(|| Err(Error::Corrupt("no outcome".to_owned())));
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(&mut next)).collect()
}
