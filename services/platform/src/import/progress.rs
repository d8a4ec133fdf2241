//! How many rows of an import were taken, and which row is next.

use tongxin_proto::batch::v1::{ImportStatus, RuleWarning};

use super::ImportId;
use crate::error::Refusal;

/// Numbers of rows that were decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Progress {
    /// Rows that were accepted.
    pub accepted: i64,
    /// Rows that stand refused.
    pub refused: i64,
    /// Accepted rows with a data-quality warning.
    pub warned: i64,
    /// Accepted rows that stated what is kept already.
    pub unchanged: i64,
    /// Accepted rows that corrected what was kept.
    pub corrected: i64,
}

/// Why an import does not continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum ImportRefused {
    /// The caller has begun no such import.
    #[error("the import does not exist")]
    #[refusal(NotFound, "IMPORT_NOT_FOUND", field = "import_id")]
    NotFound,
    /// The caller has an import of another kind under the identifier.
    #[error("import_id names an import of another kind: choose a new one")]
    #[refusal(AlreadyExists, "IMPORT_ID_REUSED")]
    Reused,
    /// Rows in between are missing.
    #[error("the import goes on with row {0}")]
    #[refusal(FailedPrecondition, "IMPORT_GAP")]
    Gap(i64),
}

/// Result of an accepted row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepted {
    /// What data-quality rules warn of.
    pub warnings: Vec<Warning>,
    /// What became of what is kept.
    pub effect: Effect,
}

/// What a data-quality rule warns of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Number of the rule.
    pub rule: i32,
    /// Path of the field that it is about; empty if it is about several.
    pub field: String,
}

impl From<Warning> for RuleWarning {
    fn from(Warning { rule, field }: Warning) -> Self {
        Self { rule, field }
    }
}

/// What an accepted row does to what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effect {
    /// It adds something.
    #[default]
    New,
    /// It corrects something.
    Corrected,
    /// It states what is kept already, so that nothing was written.
    Unchanged,
}

impl Accepted {
    /// A new row, and the numbers of the data-quality rules that warn of it.
    #[must_use]
    pub fn with(rules: Vec<i32>) -> Self {
        let warning = |rule| Warning { rule, field: String::new() };
        Self { warnings: rules.into_iter().map(warning).collect(), effect: Effect::New }
    }

    /// A row that states what is kept already.
    #[must_use]
    pub const fn unchanged() -> Self {
        Self { warnings: Vec::new(), effect: Effect::Unchanged }
    }
}

impl Progress {
    /// Rows that were taken; the import continues with the next one.
    #[must_use]
    pub fn rows_taken(&self) -> i64 {
        self.accepted + self.refused
    }

    /// The first row that was not taken yet. Rows from `first_row` on may be taken.
    ///
    /// # Errors
    /// [`ImportRefused::Gap`] when rows before `first_row` are missing.
    pub fn next_row(&self, first_row: i64) -> Result<i64, ImportRefused> {
        let next = self.rows_taken() + 1;
        if first_row > next { Err(ImportRefused::Gap(next)) } else { Ok(next) }
    }

    /// As an [`ImportStatus`] that names no rows.
    pub fn status(self, id: ImportId) -> ImportStatus {
        let Self { accepted, refused, warned, unchanged, corrected } = self;
        ImportStatus {
            import_id: id.to_string(),
            rows_taken: self.rows_taken(),
            accepted,
            refused,
            warned,
            unchanged,
            corrected,
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Counts the outcome of a row; one that stood refused was counted as such before.
    pub fn count<E>(&mut self, outcome: &Result<Accepted, E>, stood_refused: bool) {
        self.refused -= i64::from(stood_refused);
        match outcome {
            Ok(Accepted { warnings, effect }) => {
                self.accepted += 1;
                self.warned += i64::from(!warnings.is_empty());
                match effect {
                    Effect::New => {}
                    Effect::Corrected => self.corrected += 1,
                    Effect::Unchanged => self.unchanged += 1,
                }
            }
            Err(_) => self.refused += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO: Result<Accepted, ()> = Err(());

    fn taken(outcomes: &[Result<Accepted, ()>]) -> Progress {
        let mut progress = Progress::default();
        for outcome in outcomes {
            progress.count(outcome, false);
        }
        progress
    }

    #[test]
    fn a_gap_names_the_next_row() {
        let progress = taken(&[Ok(Accepted::default()), NO, Ok(Accepted::with(vec![104]))]);
        assert_eq!((progress.rows_taken(), progress.refused, progress.warned), (3, 1, 1));
        for first_row in [1, 3, 4] {
            assert_eq!(progress.next_row(first_row), Ok(4));
        }
        assert_eq!(progress.next_row(5), Err(ImportRefused::Gap(4)));
        assert_eq!(Progress::default().next_row(2), Err(ImportRefused::Gap(1)));
    }

    #[test]
    fn a_row_that_stood_refused_is_counted_once_whatever_becomes_of_it() {
        let mut progress = taken(&[Ok(Accepted::unchanged()), NO, NO]);
        progress.count(&NO, true);
        assert_eq!((progress.accepted, progress.refused), (1, 2));
        progress.count(&Ok::<_, ()>(Accepted::with(vec![104])), true);
        let expected = Progress { accepted: 2, refused: 1, warned: 1, unchanged: 1, corrected: 0 };
        assert_eq!(progress, expected);
    }
}
