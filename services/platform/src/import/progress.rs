//! How many rows of an import were taken, and which row is next.

use tongxin_proto::batch::v1::{ImportStatus, RowError};

use super::ImportId;
use crate::error::Refusal;

/// Numbers of rows that were decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Progress {
    /// Rows that were accepted.
    pub accepted: i64,
    /// Rows that were refused.
    pub refused: i64,
    /// Accepted rows with a data-quality warning.
    pub warned: i64,
}

/// Why an import does not continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum ImportRefused {
    /// The caller has begun no such import.
    #[error("the import does not exist")]
    #[refusal(NotFound, "IMPORT_NOT_FOUND", field = "import_id")]
    NotFound,
    /// The identifier belongs to another caller's import, or to one of another kind.
    #[error("import_id was used for another import: choose a new one")]
    #[refusal(AlreadyExists, "IMPORT_ID_REUSED")]
    Reused,
    /// Rows in between are missing.
    #[error("the import goes on with row {0}")]
    #[refusal(FailedPrecondition, "IMPORT_GAP")]
    Gap(i64),
}

/// Result of an accepted row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Whether a data-quality rule warns of the row.
    pub warned: bool,
}

impl Progress {
    /// Rows that were taken; the import continues with the next one.
    #[must_use]
    pub fn rows_taken(&self) -> i64 {
        self.accepted + self.refused
    }

    /// How many of the rows from `first_row` on were taken before and have to be skipped.
    ///
    /// # Errors
    /// [`ImportRefused::Gap`] when rows before it are missing.
    pub fn already_taken(&self, first_row: i64) -> Result<usize, ImportRefused> {
        let next = self.rows_taken() + 1;
        if first_row > next {
            return Err(ImportRefused::Gap(next));
        }
        Ok(usize::try_from(next - first_row).unwrap_or(usize::MAX))
    }

    /// As an [`ImportStatus`], with the refused rows.
    pub fn status(self, id: ImportId, errors: Vec<RowError>) -> ImportStatus {
        let Self { accepted, refused, warned } = self;
        ImportStatus { import_id: id.to_string(), rows_taken: self.rows_taken(), accepted, refused, warned, errors }
    }

    /// Counts the outcome of a row.
    pub fn count<E>(&mut self, outcome: &Result<Accepted, E>) {
        match outcome {
            Ok(accepted) => {
                self.accepted += 1;
                self.warned += i64::from(accepted.warned);
            }
            Err(_) => self.refused += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(outcomes: &[Result<Accepted, ()>]) -> Progress {
        let mut progress = Progress::default();
        for outcome in outcomes {
            progress.count(outcome);
        }
        progress
    }

    #[test]
    fn rows_that_were_taken_are_skipped_and_a_gap_names_the_next() {
        let progress = taken(&[Ok(Accepted { warned: false }), Err(()), Ok(Accepted { warned: true })]);
        assert_eq!((progress.rows_taken(), progress.refused, progress.warned), (3, 1, 1));
        assert_eq!(progress.already_taken(1), Ok(3));
        assert_eq!(progress.already_taken(3), Ok(1));
        assert_eq!(progress.already_taken(4), Ok(0));
        assert_eq!(progress.already_taken(5), Err(ImportRefused::Gap(4)));
        assert_eq!(Progress::default().already_taken(2), Err(ImportRefused::Gap(1)));
    }
}
