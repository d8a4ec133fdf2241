//! Contributions of a case to counts: signed, dated changes that follow from its history.

use chrono::NaiveDate;
use tongxin_platform::named;

use super::{Case, Fact};
use crate::domain::procedure::Step;

named! {
    pub enum Counted {
        UnderMonitoring = "under_monitoring",
        Identified = "identified",
        Removed = "removed",
        Relapsed = "relapsed",
        /// Steps that are not done by their due date.
        OverdueSteps = "overdue_steps",
    }
}

/// A change of a count from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountChange {
    pub counted: Counted,
    /// First day on which the change counts; may be in the future.
    pub on: NaiveDate,
    /// Never 0.
    pub change: i64,
}

impl Case {
    /// All contributions of the case, by its history and its next step.
    #[must_use]
    pub fn counts(&self) -> Vec<CountChange> {
        let mut counts = Vec::new();
        let mut count = |counted, on, change| counts.push(CountChange { counted, on, change });
        let mut removal = false;
        for entry in self.history.entries() {
            let on = entry.occurred_on;
            if let Some(overdue) = entry.due_on.map(first_overdue) {
                count(Counted::OverdueSteps, overdue, 1);
                count(Counted::OverdueSteps, on.max(overdue), -1);
            }
            match entry.fact {
                Fact::Opened => removal = false,
                Fact::RemovalProposed => removal = true,
                Fact::StepPassed(Step::CountyApproval) if removal => {
                    count(Counted::UnderMonitoring, on, -1);
                    count(Counted::Removed, on, 1);
                }
                Fact::StepPassed(Step::CountyApproval) => {
                    count(Counted::UnderMonitoring, on, 1);
                    count(Counted::Identified, on, 1);
                    if self.relapse_of.is_some() {
                        count(Counted::Relapsed, on, 1);
                    }
                }
                Fact::RemovalRolledBack => {
                    count(Counted::UnderMonitoring, on, 1);
                    count(Counted::Removed, on, -1);
                }
                Fact::StepPassed(_) | Fact::StepRefused(_) => {}
            }
        }
        if let Some(next) = self.stage.next() {
            count(Counted::OverdueSteps, first_overdue(next.on), 1);
        }
        counts
    }

    /// Changes that move the case's contributions to another village from a day on: those at the old village, and those
    /// at the new.
    #[must_use]
    pub fn counts_moved(&self, moved_on: NaiveDate) -> (Vec<CountChange>, Vec<CountChange>) {
        let moved = |sign: i64| {
            let dated = self.counts().into_iter();
            summed(dated.map(|count| CountChange { on: count.on.max(moved_on), change: sign * count.change, ..count }))
        };
        (moved(-1), moved(1))
    }
}

/// A step counts as overdue from the day after its due date.
fn first_overdue(due_on: NaiveDate) -> NaiveDate {
    due_on.succ_opt().unwrap_or(NaiveDate::MAX)
}

/// Changes that turn one set of contributions into another.
pub(super) fn difference(before: Vec<CountChange>, after: Vec<CountChange>) -> Vec<CountChange> {
    let opposite = before.into_iter().map(|count| CountChange { change: -count.change, ..count });
    summed(opposite.chain(after))
}

/// One change per count and day, without those that cancel out.
fn summed(changes: impl Iterator<Item = CountChange>) -> Vec<CountChange> {
    let mut sums = std::collections::BTreeMap::new();
    for CountChange { counted, on, change } in changes {
        *sums.entry((counted, on)).or_insert(0) += change;
    }
    let stated = sums.into_iter().filter(|(_, change)| *change != 0);
    stated.map(|((counted, on), change)| CountChange { counted, on, change }).collect()
}
