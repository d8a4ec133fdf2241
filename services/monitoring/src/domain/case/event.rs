//! What happens to a case.

use chrono::NaiveDate;

use super::{CountChange, RemovalKind};
use crate::domain::procedure::Step;

/// What happened to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseEvent {
    /// It was opened.
    Opened,
    /// A step was passed or refused.
    StepRecorded {
        /// The step.
        step: Step,
        /// Whether it belongs to removal.
        removal: bool,
        /// Whether it was refused.
        refused: bool,
        /// Business date.
        on: NaiveDate,
    },
    /// Removal was proposed.
    RemovalProposed {
        /// How the household leaves.
        kind: RemovalKind,
        /// Business date.
        on: NaiveDate,
    },
    /// A removal was rolled back.
    RemovalRolledBack {
        /// Business date.
        on: NaiveDate,
    },
    /// A count changes.
    Counted(CountChange),
}
