//! Events of a case.

use chrono::NaiveDate;

use super::{CountChange, RemovalKind};
use crate::domain::procedure::Step;

/// What happened to a case; `on` is the business date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseEvent {
    Opened,
    StepRecorded {
        step: Step,
        /// Whether it is a step of removal.
        removal: bool,
        refused: bool,
        on: NaiveDate,
    },
    RemovalProposed {
        kind: RemovalKind,
        on: NaiveDate,
    },
    RemovalRolledBack {
        on: NaiveDate,
    },
    Counted(CountChange),
}
