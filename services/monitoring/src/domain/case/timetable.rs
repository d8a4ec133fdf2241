//! When steps are due.

use std::sync::Arc;

use chrono::NaiveDate;

use crate::domain::{
    calendar::Calendar,
    procedure::{DayKind, Step},
};

/// A step that is next, and the day by which it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The step.
    pub step: Step,
    /// The day.
    pub on: NaiveDate,
}

/// How long a step may take after the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// Days.
    pub days: u32,
    /// How they are counted.
    pub kind: DayKind,
    /// Days in the emergency path.
    pub emergency_days: u32,
}

/// The deadlines of a rule set in a calendar.
#[derive(Debug, Clone)]
pub struct Timetable {
    deadlines: [Deadline; Step::ALL.len()],
    calendar: Arc<Calendar>,
}

impl Timetable {
    /// The deadlines of each step in a calendar.
    #[must_use]
    pub fn new(deadline: impl Fn(Step) -> Deadline, calendar: Arc<Calendar>) -> Self {
        Self { deadlines: std::array::from_fn(|place| deadline(Step::ALL[place])), calendar }
    }

    /// By when a step is due that is next from a day on.
    pub(super) fn due(&self, step: Step, from: NaiveDate, emergency: bool) -> Due {
        let Deadline { days, kind, emergency_days } = self.deadlines[step.index()];
        let days = if emergency { emergency_days } else { days };
        Due { step, on: self.calendar.due(from, days, kind) }
    }
}
