//! The only SQL: one file for each aggregate or projection.

pub mod defects;
pub mod dossiers;
pub mod households;
pub mod incomes;
pub mod keys;
pub mod published;
pub mod regions;
pub mod rule_sets;
pub mod signals;

use tongxin_platform::region::RegionCode;

use crate::error::Error;

/// A value that a name in the database stands for.
fn named<T>(found: Option<T>, name: &str) -> Result<T, Error> {
    found.ok_or_else(|| Error::Corrupt(format!("the unknown name {name:?}")))
}

fn region(number: i64) -> Result<RegionCode, Error> {
    RegionCode::from_number(number).map_err(|error| Error::Corrupt(error.to_string()))
}
