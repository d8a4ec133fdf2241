//! The changes: one file for each verb. Load, decide, save.

mod record_observation;
mod screen_households;
mod set_holidays;
mod store_rule_set;

use std::sync::Arc;

use chrono::NaiveDate;
use tongxin_platform::request::{Context, EntryWindow};

pub use record_observation::{HouseholdRef, RecordObservation, Screened};
pub use screen_households::{Part, RecordHits, Recorded, Sweep, simulate, sweep};
pub use set_holidays::{DaysStated, SetHolidays};
pub use store_rule_set::StoreRuleSet;

use crate::{error::Error, store::keys::Keys};

/// What monitoring decides by.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How old an entry may be.
    pub window: EntryWindow,
    /// Seal and find what is personal.
    pub keys: Arc<Keys>,
}

impl Policy {
    /// Makes sure that something may be said to have occurred on a date.
    fn check_date(&self, field: &'static str, date: NaiveDate, context: &Context) -> Result<(), Error> {
        self.window.check(date, context).map_err(|refused| Error::Date(field, refused))
    }
}

/// Makes sure that nobody changed it since the caller looked. Zero skips the check.
fn at_version(actual: i64, expected: i64) -> Result<(), Error> {
    if expected == 0 || expected == actual { Ok(()) } else { Err(Error::Stale { expected, actual }) }
}
