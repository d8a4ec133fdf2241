//! What a case adds to the counts: signed, dated changes that follow from its history.

use chrono::NaiveDate;
use tongxin_platform::named;

use super::{Case, Fact};
use crate::domain::procedure::Step;

named! {
    /// What is counted of cases.
    pub enum Counted {
        /// Households under monitoring.
        UnderMonitoring = "under_monitoring",
        /// Households identified.
        Identified = "identified",
        /// Households removed.
        Removed = "removed",
        /// Households that relapsed.
        Relapsed = "relapsed",
        /// Steps that are not done by their day.
        OverdueSteps = "overdue_steps",
    }
}

/// A count changes from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountChange {
    /// What is counted.
    pub counted: Counted,
    /// First day on which the change counts; may lie in the future.
    pub on: NaiveDate,
    /// By how much, never 0.
    pub change: i64,
}

impl Case {
    /// All that the case adds to the counts, by its history and the step that is next.
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

    /// What it takes to count the case elsewhere from a day on: the changes where it was, and where it is.
    #[must_use]
    pub fn counts_moved(&self, moved_on: NaiveDate) -> (Vec<CountChange>, Vec<CountChange>) {
        let moved = |sign: i64| {
            let dated = self.counts().into_iter();
            summed(dated.map(|count| CountChange { on: count.on.max(moved_on), change: sign * count.change, ..count }))
        };
        (moved(-1), moved(1))
    }
}

/// A step counts as overdue from the day after the one by which it was due.
fn first_overdue(due_on: NaiveDate) -> NaiveDate {
    due_on.succ_opt().unwrap_or(NaiveDate::MAX)
}

/// What has to be stated after some changes so that others hold.
pub(super) fn difference(before: Vec<CountChange>, after: Vec<CountChange>) -> Vec<CountChange> {
    let opposite = before.into_iter().map(|count| CountChange { change: -count.change, ..count });
    summed(opposite.chain(after))
}

/// One change for each count and day, without those that come to nothing.
fn summed(changes: impl Iterator<Item = CountChange>) -> Vec<CountChange> {
    let mut sums = std::collections::BTreeMap::new();
    for CountChange { counted, on, change } in changes {
        *sums.entry((counted, on)).or_insert(0) += change;
    }
    let stated = sums.into_iter().filter(|(_, change)| *change != 0);
    stated.map(|((counted, on), change)| CountChange { counted, on, change }).collect()
}
