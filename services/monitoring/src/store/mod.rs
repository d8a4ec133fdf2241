//! The only SQL: one file for each aggregate or projection.

pub mod case_signals;
pub mod cases;
pub mod dated_rules;
pub mod defects;
pub mod disclosures;
pub mod dossiers;
pub mod holidays;
pub mod households;
pub mod incomes;
pub mod keys;
pub mod match_queue;
pub mod measures;
mod members;
pub mod merges;
pub mod notices;
pub mod observations;
pub mod profiles;
pub mod published;
pub mod rule_sets;
pub mod sealed;
pub mod signals;
pub mod standings;
pub mod verdicts;

use tongxin_platform::region::RegionCode;

use crate::error::Error;

/// The value of a name in the database.
fn named<T>(found: Option<T>, name: &str) -> Result<T, Error> {
    found.ok_or_else(|| Error::Corrupt(format!("the unknown name {name:?}")))
}

/// The region of a number in the database.
pub fn region(number: i64) -> Result<RegionCode, Error> {
    RegionCode::from_number(number).map_err(|error| Error::Corrupt(error.to_string()))
}
