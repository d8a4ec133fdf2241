//! What a signal adds to the counts of a village, and from when.

use chrono::NaiveDate;
use tongxin_platform::{region::RegionCode, timeline::Timeline};

use super::Signal;
use crate::domain::household::Move;

/// What is counted of signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Signals that wait to be verified.
    OpenSignals,
    /// Signals that rest on a department's warning.
    WarningSignals,
    /// Of these, those that led to an identified household.
    WarningsIdentified,
}

/// A count of a village that changes from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountChange {
    /// What is counted.
    pub counted: Counted,
    /// First day on which the change counts.
    pub on: NaiveDate,
    /// +1 or -1.
    pub change: i32,
}

/// For how long a signal counts as what. Nothing counts in a village before the household lives there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spells {
    open: Timeline,
    warning: Timeline,
    identified: Timeline,
}

impl Spells {
    /// What a signal counts as in the village where its household lives since a day, and whose case was identified
    /// on a day.
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

/// What has to be added to the counts of a village for a signal to count as it does now, rather than as before.
#[must_use]
pub fn changes(before: &Spells, now: &Spells) -> Vec<CountChange> {
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

/// Changes at the two ends of a move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved(pub Vec<(RegionCode, CountChange)>);

impl Moved {
    /// What a signal counts as from the day of the move on, it no longer does at the old village, and does at the new.
    #[must_use]
    pub fn of(signal: &Signal, moved: &Move, identified_on: Option<NaiveDate>) -> Self {
        let later = Spells::of(signal, Some(moved.moved_on), identified_on);
        let none = Spells::default();
        let left = changes(&later, &none).into_iter().map(|change| (moved.from, change));
        Self(left.chain(changes(&none, &later).into_iter().map(|change| (moved.to, change))).collect())
    }
}
