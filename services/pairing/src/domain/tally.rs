//! Number of overlapping periods on each day.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Included, Unbounded},
};

use chrono::NaiveDate;

use super::period::Period;

/// How many of some periods contain a day; each number holds from its key on until the next.
///
/// A change of one period costs only the boundaries within it, however many periods there are.
#[derive(Debug, Clone, Default)]
pub struct Tally(BTreeMap<NaiveDate, i32>);

impl Tally {
    /// Replaces a period: `before` is `None` for a new one, `now` for one that is removed. Returns the days from which
    /// on some period holds where none did (+1), or none where one did (-1).
    pub fn change(&mut self, before: Option<Period>, now: Option<Period>) -> Vec<(NaiveDate, i32)> {
        let mut changes = BTreeMap::new();
        for (period, by) in [(before, -1), (now, 1)] {
            if let Some(period) = period {
                self.shift(period, by, &mut changes);
            }
        }
        changes.into_iter().filter(|(_, change)| *change != 0).collect()
    }

    /// Whether some period has a day in common with this one.
    #[must_use]
    pub fn overlaps(&self, period: Period) -> bool {
        let within = self.0.range(days(period)).any(|(_, count)| *count > 0);
        within || self.count(period.starts_on()) > 0
    }

    fn shift(&mut self, period: Period, by: i32, changes: &mut BTreeMap<NaiveDate, i32>) {
        for day in period.bounds() {
            let count = self.count(day);
            self.0.entry(day).or_insert(count);
        }
        let mut before = 0;
        for (day, count) in self.0.range_mut(days(period)) {
            let held = *count > 0;
            *count += by;
            let change = i32::from(*count > 0) - i32::from(held);
            if change != before {
                *changes.entry(*day).or_default() += change - before;
                before = change;
            }
        }
        if let Some(ends_on) = period.ends_on() {
            *changes.entry(ends_on).or_default() -= before;
        }
    }

    fn count(&self, day: NaiveDate) -> i32 {
        self.0.range(..=day).next_back().map_or(0, |(_, count)| *count)
    }
}

fn days(period: Period) -> (std::ops::Bound<NaiveDate>, std::ops::Bound<NaiveDate>) {
    (Included(period.starts_on()), period.ends_on().map_or(Unbounded, Excluded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2025, 1, day).unwrap()
    }

    fn period(from: u32, until: u32) -> Period {
        Period::new(day(from), Some(day(until))).unwrap()
    }

    #[test]
    fn only_what_no_other_period_holds_changes() {
        let mut tally = Tally::default();
        assert_eq!(tally.change(None, Some(period(5, 10))), [(day(5), 1), (day(10), -1)]);
        assert_eq!(tally.change(None, Some(period(8, 12))), [(day(10), 1), (day(12), -1)]);
        assert_eq!(tally.change(None, Some(period(6, 11))), []);
        assert_eq!(tally.change(None, Some(period(1, 20))), [(day(1), 1), (day(5), -1), (day(12), 1), (day(20), -1)]);
    }

    #[test]
    fn a_period_that_ends_early_or_goes_is_taken_back() {
        let mut tally = Tally::default();
        let open = Period::new(day(5), None).ok();
        assert_eq!(tally.change(None, open), [(day(5), 1)]);
        assert_eq!(tally.change(open, Some(period(5, 9))), [(day(9), -1)]);
        assert_eq!(tally.change(Some(period(5, 9)), None), [(day(5), -1), (day(9), 1)]);
    }

    #[test]
    fn periods_overlap_where_they_have_a_day_in_common() {
        let mut tally = Tally::default();
        tally.change(None, Some(period(5, 10)));
        let overlaps = |from, until| tally.overlaps(period(from, until));
        assert!(overlaps(9, 12) && overlaps(1, 6) && overlaps(6, 7) && overlaps(1, 20));
        assert!(!overlaps(10, 12) && !overlaps(1, 5));
    }
}
