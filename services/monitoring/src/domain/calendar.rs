//! Working days, and due dates.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, NaiveDate, Weekday};

use super::procedure::DayKind;

/// The weekly pattern with exceptions: weekdays that are free, and weekend days worked in exchange.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    worked: BTreeMap<NaiveDate, bool>,
}

impl Calendar {
    /// Each exception is a day, and whether it is worked.
    #[must_use]
    pub fn new(exceptions: impl IntoIterator<Item = (NaiveDate, bool)>) -> Self {
        Self { worked: exceptions.into_iter().collect() }
    }

    #[must_use]
    pub fn is_worked(&self, day: NaiveDate) -> bool {
        let by_pattern = !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        self.worked.get(&day).copied().unwrap_or(by_pattern)
    }

    /// The day that is `days` days after `from`; with 0, `from` itself, worked or not.
    #[must_use]
    pub fn due(&self, from: NaiveDate, days: u32, kind: DayKind) -> NaiveDate {
        match kind {
            DayKind::Calendar => from.checked_add_days(Days::new(days.into())).unwrap_or(NaiveDate::MAX),
            DayKind::Working => self.after_working_days(from, days),
        }
    }

    fn after_working_days(&self, from: NaiveDate, days: u32) -> NaiveDate {
        let following = from.iter_days().skip(1).filter(|day| self.is_worked(*day));
        match days {
            0 => from,
            days => following.take(days as usize).last().unwrap_or(NaiveDate::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// National Day and Mid-Autumn of 2025: eight free days, and two weekend days worked for them.
    fn october_2025() -> Calendar {
        let free = day("2025-10-01").iter_days().take(8).map(|day| (day, false));
        let worked = ["2025-09-28", "2025-10-11"].map(|text| (day(text), true));
        Calendar::new(free.chain(worked))
    }

    fn working(from: &str, days: u32) -> String {
        october_2025().due(day(from), days, DayKind::Working).to_string()
    }

    #[test]
    fn working_days_skip_weekends() {
        assert_eq!(working("2025-06-05", 1), "2025-06-06");
        assert_eq!(working("2025-06-06", 1), "2025-06-09");
        assert_eq!(working("2025-06-07", 1), "2025-06-09");
        assert_eq!(working("2025-06-06", 5), "2025-06-13");
    }

    #[test]
    fn working_days_skip_holidays_and_count_the_weekend_days_worked_for_them() {
        // Friday; the Sunday after it is worked.
        assert_eq!(working("2025-09-26", 1), "2025-09-28");
        assert_eq!(working("2025-09-26", 3), "2025-09-30");
        // From the last day before the holidays to the first after them.
        assert_eq!(working("2025-09-30", 1), "2025-10-09");
        // Thursday, Friday, the worked Saturday, Monday.
        assert_eq!(working("2025-09-30", 3), "2025-10-11");
        assert_eq!(working("2025-09-30", 4), "2025-10-13");
        // Begun within the holidays.
        assert_eq!(working("2025-10-04", 2), "2025-10-10");
    }

    #[test]
    fn calendar_days_count_every_day() {
        let due = |days| october_2025().due(day("2025-09-30"), days, DayKind::Calendar).to_string();
        assert_eq!((due(0), due(1), due(15)), ("2025-09-30".into(), "2025-10-01".into(), "2025-10-15".into()));
    }

    #[test]
    fn no_days_are_that_day_even_on_a_holiday() {
        assert_eq!(working("2025-10-05", 0), "2025-10-05");
    }

    #[test]
    fn the_end_of_time_is_no_fault() {
        assert_eq!(Calendar::default().due(NaiveDate::MAX, 3, DayKind::Calendar), NaiveDate::MAX);
        assert_eq!(Calendar::default().due(NaiveDate::MAX, 3, DayKind::Working), NaiveDate::MAX);
    }
}
