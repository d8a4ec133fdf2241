//! Contributions of a signal to the counts of a village.

use chrono::NaiveDate;
use tongxin_platform::{region::RegionCode, timeline::Timeline};

use super::Signal;
use crate::domain::household::Move;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Waiting for verification.
    OpenSignals,
    /// Signals that are based on a department's warning.
    WarningSignals,
    /// Of these, those that led to an identified household.
    WarningsIdentified,
}

/// A change of a village's count from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountChange {
    pub counted: Counted,
    /// First day on which the change counts.
    pub on: NaiveDate,
    /// +1 or -1.
    pub change: i32,
}

/// The periods in which a signal contributes to each count. Nothing counts in a village before the household lives
/// there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CountedPeriods {
    open: Timeline,
    warning: Timeline,
    identified: Timeline,
}

impl CountedPeriods {
    /// For the village where the household has lived since a day. Its case was identified on `identified_on`.
    #[must_use]
    pub fn of(signal: &Signal, lives_there_since: Option<NaiveDate>, identified_on: Option<NaiveDate>) -> Self {
        let since = lives_there_since.unwrap_or(NaiveDate::MIN);
        let decided_on = signal.decision.as_ref().map(|decision| decision.on);
        let warned_on = signal.warned_on();
        Self {
            open: spell(Some(signal.reported_on().max(since)), decided_on),
            warning: spell(warned_on.map(|on| on.max(since)), None),
            identified: spell(warned_on.and(identified_on).map(|on| on.max(since)), None),
        }
    }
}

fn spell(from: Option<NaiveDate>, until: Option<NaiveDate>) -> Timeline {
    let Some(from) = from else { return Timeline::default() };
    let days = [Some(from), until].into_iter().flatten();
    Timeline::of(days, |day| day >= from && until.is_none_or(|until| day < until))
}

/// Changes that turn one set of contributions to a village's counts into another.
#[must_use]
pub fn changes(before: &CountedPeriods, now: &CountedPeriods) -> Vec<CountChange> {
    let of = |counted: Counted, before: &Timeline, now: &Timeline| {
        let change = move |(on, change)| CountChange { counted, on, change };
        now.since(before).into_iter().map(change).collect::<Vec<_>>()
    };
    [
        of(Counted::OpenSignals, &before.open, &now.open),
        of(Counted::WarningSignals, &before.warning, &now.warning),
        of(Counted::WarningsIdentified, &before.identified, &now.identified),
    ]
    .concat()
}

/// Changes at both ends of a move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved(pub Vec<(RegionCode, CountChange)>);

impl Moved {
    /// From the day of the move on, the contributions end at the old village and begin at the new one.
    #[must_use]
    pub fn of(signal: &Signal, moved: &Move, identified_on: Option<NaiveDate>) -> Self {
        let later = CountedPeriods::of(signal, Some(moved.moved_on), identified_on);
        let none = CountedPeriods::default();
        let left = changes(&later, &none).into_iter().map(|change| (moved.from, change));
        Self(left.chain(changes(&none, &later).into_iter().map(|change| (moved.to, change))).collect())
    }
}
