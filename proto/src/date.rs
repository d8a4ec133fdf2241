//! Calendar dates of the contract as chrono's.

use chrono::{Datelike as _, NaiveDate};

use crate::contract::google::r#type::Date;

/// The first day that requests may name. Nothing that is kept here is older than the republic; a day before it is a year
/// without its century, as in `26-01-01`, or mistyped.
pub const FIRST_BUSINESS_DATE: NaiveDate = NaiveDate::from_ymd_opt(1949, 10, 1).expect("the first of October is a day");

/// A `google.type.Date` that names no whole day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotADate;

impl From<NaiveDate> for Date {
    fn from(date: NaiveDate) -> Self {
        Self { year: date.year(), month: date.month().cast_signed(), day: date.day().cast_signed() }
    }
}

impl TryFrom<Date> for NaiveDate {
    type Error = NotADate;

    fn try_from(date: Date) -> Result<Self, NotADate> {
        if !(1..=9999).contains(&date.year) {
            return Err(NotADate);
        }
        let month = u32::try_from(date.month).map_err(|_| NotADate)?;
        let day = u32::try_from(date.day).map_err(|_| NotADate)?;
        NaiveDate::from_ymd_opt(date.year, month, day).ok_or(NotADate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_survives_the_contract() {
        let date = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        assert_eq!(NaiveDate::try_from(Date::from(date)), Ok(date));
    }

    #[test]
    fn partial_and_impossible_dates_are_no_dates() {
        for (year, month, day) in [(2025, 0, 0), (2025, 2, 29), (0, 1, 1), (10_000, 1, 1), (2025, -1, 1)] {
            assert_eq!(NaiveDate::try_from(Date { year, month, day }), Err(NotADate));
        }
    }
}
