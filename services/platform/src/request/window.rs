//! How old an entry may be.

use chrono::{Days, NaiveDate};

use super::Context;
use crate::error::Refusal;

/// How many days in the past a business date may be without the permission `history.load`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct EntryWindow {
    days: u32,
}

/// A business date that may not be entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum DateRefused {
    /// A business date lies after today.
    #[error("{date} is in the future: today is {today}")]
    #[refusal(Invalid, "DATE_IN_FUTURE")]
    InFuture {
        /// The date.
        date: NaiveDate,
        /// The business date of the request.
        today: NaiveDate,
    },
    /// A business date lies before the entry window, and the token does not load history.
    #[error("{date} is before {first}: entering older history needs the permission history.load")]
    #[refusal(PermissionDenied, "HISTORY_NOT_ALLOWED")]
    TooOld {
        /// The date.
        date: NaiveDate,
        /// The first date of the window.
        first: NaiveDate,
    },
}

impl EntryWindow {
    /// A window of some days before today.
    #[must_use]
    pub const fn days(days: u32) -> Self {
        Self { days }
    }

    /// Checks that a business date may be entered.
    ///
    /// # Errors
    /// If the date is after today, or too far in the past for the caller.
    pub fn check(self, date: NaiveDate, context: &Context) -> Result<(), DateRefused> {
        let today = context.today();
        if date > today {
            return Err(DateRefused::InFuture { date, today });
        }
        let first = today.checked_sub_days(Days::new(self.days.into())).unwrap_or(NaiveDate::MIN);
        if date < first && !context.may_load_history {
            return Err(DateRefused::TooOld { date, first });
        }
        Ok(())
    }
}

impl Default for EntryWindow {
    /// 366 days.
    fn default() -> Self {
        Self { days: 366 }
    }
}
