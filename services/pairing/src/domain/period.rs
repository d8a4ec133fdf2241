//! Periods of days.

use chrono::NaiveDate;
use tongxin_platform::error::Refusal;

/// A period: its first day, and the first day after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    starts_on: NaiveDate,
    ends_on: Option<NaiveDate>,
}

/// An end that is not after its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
#[refusal(Invalid, "DATE_ORDER", field = "ends_on")]
#[error("the end {ends_on} has to be after the start {starts_on}")]
pub struct EndBeforeStart {
    starts_on: NaiveDate,
    ends_on: NaiveDate,
}

impl Period {
    /// A period, possibly without an end yet.
    ///
    /// # Errors
    /// If it would contain no day.
    pub fn new(starts_on: NaiveDate, ends_on: Option<NaiveDate>) -> Result<Self, EndBeforeStart> {
        match ends_on {
            Some(ends_on) if ends_on <= starts_on => Err(EndBeforeStart { starts_on, ends_on }),
            _ => Ok(Self { starts_on, ends_on }),
        }
    }

    /// The first day.
    #[must_use]
    pub fn starts_on(self) -> NaiveDate {
        self.starts_on
    }

    /// The first day after it; `None` if it has no end yet.
    #[must_use]
    pub fn ends_on(self) -> Option<NaiveDate> {
        self.ends_on
    }

    /// Whether it contains a day.
    #[must_use]
    pub fn contains(self, day: NaiveDate) -> bool {
        self.starts_on <= day && self.ends_on.is_none_or(|ends_on| day < ends_on)
    }

    /// Whether both contain some day.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let begins_in_time = |first: Self, second: Self| first.ends_on.is_none_or(|end| second.starts_on < end);
        begins_in_time(self, other) && begins_in_time(other, self)
    }

    /// The same start with another end.
    ///
    /// # Errors
    /// If it would contain no day.
    pub fn ending(self, ends_on: NaiveDate) -> Result<Self, EndBeforeStart> {
        Self::new(self.starts_on, Some(ends_on))
    }

    /// Its boundaries.
    pub fn bounds(self) -> impl Iterator<Item = NaiveDate> {
        std::iter::once(self.starts_on).chain(self.ends_on)
    }
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
    fn the_end_no_longer_belongs_to_it() {
        assert!(period(1, 3).contains(day(2)));
        assert!(!period(1, 3).contains(day(3)));
        assert!(!period(1, 3).overlaps(period(3, 4)));
        assert!(period(1, 3).overlaps(period(2, 9)));
        assert!(Period::new(day(5), None).unwrap().overlaps(period(1, 6)));
    }

    #[test]
    fn a_period_has_at_least_a_day() {
        assert!(Period::new(day(3), Some(day(3))).is_err());
        assert!(Period::new(day(3), Some(day(2))).is_err());
    }
}
