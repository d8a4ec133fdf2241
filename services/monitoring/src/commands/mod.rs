//! The changes: one file for each verb. Load, decide, save.

mod check_households;
mod decide_signal;
mod record_village_income;
mod report_signal;
mod submit_warnings;

use std::sync::Arc;

use chrono::NaiveDate;
use tongxin_platform::request::{Context, EntryWindow};

pub use check_households::{Check, Checked};
pub use decide_signal::DecideSignal;
pub use record_village_income::RecordVillageIncome;
pub use report_signal::{ReportSignal, Reported};
pub use submit_warnings::{SubmitWarnings, Submitted, WarningDraft};

use crate::{domain::income::IncomeTiers, error::Error, store::keys::Keys};

/// What monitoring decides by.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How old an entry may be.
    pub window: EntryWindow,
    /// Seal and find what is personal.
    pub keys: Arc<Keys>,
    /// Tiers of the collective income of villages.
    pub income_tiers: IncomeTiers,
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
