//! When something holds, as signed changes by day.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

/// The days on which something begins (+1) or ceases (-1) to hold.
///
/// The sum of the changes up to a day is 1 if it holds on that day, and 0 if not. The difference of two timelines,
/// added to the first, gives the second, whatever was entered late or taken back: a reader that adds all differences
/// has the truth for every day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline(BTreeMap<NaiveDate, i32>);

impl Timeline {
    /// The timeline of a condition that can change only on the given days.
    pub fn of(days: impl IntoIterator<Item = NaiveDate>, mut holds: impl FnMut(NaiveDate) -> bool) -> Self {
        let days: BTreeSet<NaiveDate> = days.into_iter().collect();
        let mut changes = BTreeMap::new();
        let mut before = false;
        for day in days {
            let now = holds(day);
            if now != before {
                changes.insert(day, if now { 1 } else { -1 });
                before = now;
            }
        }
        Self(changes)
    }

    /// The changes from an earlier timeline to this one, by day; never zero.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Vec<(NaiveDate, i32)> {
        let mut difference = self.0.clone();
        for (day, change) in &earlier.0 {
            *difference.entry(*day).or_default() -= change;
        }
        difference.into_iter().filter(|(_, change)| *change != 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2025, 1, day).unwrap()
    }

    #[test]
    fn a_late_entry_takes_back_what_it_contradicts() {
        let early = Timeline::of([day(5)], |at| at >= day(5));
        let late = Timeline::of([day(2), day(5)], |at| at >= day(2));
        assert_eq!(late.since(&early), [(day(2), 1), (day(5), -1)]);
    }

    #[test]
    fn nothing_new_is_no_change() {
        let timeline = Timeline::of([day(1), day(9)], |at| at < day(9));
        assert_eq!(timeline.since(&timeline.clone()), []);
    }
}
