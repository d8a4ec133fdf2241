//! The only SQL: one file for each aggregate or projection.

pub mod activities;
mod assistance;
pub mod books;
pub mod coverage_rules;
pub mod locks;
pub mod organisations;
pub mod pairings;
mod published;
pub mod regions;
pub mod register_import;
pub mod register_rows;

use chrono::NaiveDate;
use tongxin_platform::region::RegionCode;

use crate::{domain::period::Period, error::Error};

/// The value of a name in the database.
fn by_name<T: Copy>(all: &[T], name: fn(T) -> &'static str, text: &str) -> Result<T, Error> {
    let found = all.iter().copied().find(|value| name(*value) == text);
    found.ok_or_else(|| Error::Corrupt(format!("the unknown name {text:?}")))
}

fn region(number: i64) -> Result<RegionCode, Error> {
    RegionCode::from_number(number).map_err(|error| Error::Corrupt(error.to_string()))
}

fn period(starts_on: NaiveDate, ends_on: Option<NaiveDate>) -> Result<Period, Error> {
    Period::new(starts_on, ends_on).map_err(|error| Error::Corrupt(error.to_string()))
}
