//! Exceptions to the weekly pattern of working days.

use std::collections::BTreeSet;

use chrono::{Datelike as _, NaiveDate};
use tongxin_platform::error::Refusal;

/// A weekday that is free, or a weekend day that is worked in exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    pub day: NaiveDate,
    pub worked: bool,
    /// May be empty.
    pub name: String,
}

/// Why the holidays of a year are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum HolidayRefused {
    /// A day of another year.
    #[error("{0} is not a day of {1}")]
    #[refusal(Invalid, "HOLIDAY_YEAR_WRONG", field = "holidays")]
    YearWrong(NaiveDate, i32),
    /// A day stands twice.
    #[error("{0} stands twice")]
    #[refusal(Invalid, "HOLIDAY_TWICE", field = "holidays")]
    Twice(NaiveDate),
}

/// Checks that all days are in the year, each once.
pub fn check(year: i32, holidays: &[Holiday]) -> Result<(), HolidayRefused> {
    let mut days = BTreeSet::new();
    for Holiday { day, .. } in holidays {
        if day.year() != year {
            return Err(HolidayRefused::YearWrong(*day, year));
        }
        if !days.insert(*day) {
            return Err(HolidayRefused::Twice(*day));
        }
    }
    Ok(())
}
