//! Days whose being worked differs from the weekly pattern.

use std::collections::BTreeSet;

use chrono::{Datelike as _, NaiveDate};

/// A weekday that is free, or a weekend day that is worked in exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// The day.
    pub day: NaiveDate,
    /// Whether it is worked.
    pub worked: bool,
    /// Name; may be empty.
    pub name: String,
}

/// Why the holidays of a year are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A day of another year.
    #[error("{0} is not a day of {1}")]
    YearWrong(NaiveDate, i32),
    /// A day stands twice.
    #[error("{0} stands twice")]
    Twice(NaiveDate),
}

impl Refused {
    /// Its name, which never changes.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::YearWrong(..) => "HOLIDAY_YEAR_WRONG",
            Self::Twice(_) => "HOLIDAY_TWICE",
        }
    }
}

/// Makes sure that all are days of a year, each once.
///
/// # Errors
/// When one is not.
pub fn check(year: i32, holidays: &[Holiday]) -> Result<(), Refused> {
    let mut days = BTreeSet::new();
    for Holiday { day, .. } in holidays {
        if day.year() != year {
            return Err(Refused::YearWrong(*day, year));
        }
        if !days.insert(*day) {
            return Err(Refused::Twice(*day));
        }
    }
    Ok(())
}
