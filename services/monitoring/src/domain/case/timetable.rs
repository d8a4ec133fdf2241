//! Due dates of steps.

use std::sync::Arc;

use chrono::NaiveDate;

use crate::domain::{
    calendar::Calendar,
    procedure::{DayKind, Step},
};

/// The next step and its due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    pub step: Step,
    pub on: NaiveDate,
}

/// How long a step may take after the previous one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    pub days: u32,
    pub kind: DayKind,
    pub emergency_days: u32,
}

/// The deadlines of a rule set, with a calendar.
#[derive(Debug, Clone)]
pub struct Timetable {
    deadlines: [Deadline; Step::ALL.len()],
    calendar: Arc<Calendar>,
}

impl Timetable {
    #[must_use]
    pub fn new(deadline: impl Fn(Step) -> Deadline, calendar: Arc<Calendar>) -> Self {
        Self { deadlines: std::array::from_fn(|place| deadline(Step::ALL[place])), calendar }
    }

    /// The due date of a step that has been next since a day.
    pub(super) fn due(&self, step: Step, from: NaiveDate, emergency: bool) -> Due {
        let Deadline { days, kind, emergency_days } = self.deadlines[step.index()];
        let days = if emergency { emergency_days } else { days };
        Due { step, on: self.calendar.due(from, days, kind) }
    }
}
