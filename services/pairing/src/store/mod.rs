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

use crate::{domain::period::Period, error::Error};

fn period(starts_on: NaiveDate, ends_on: Option<NaiveDate>) -> Result<Period, Error> {
    Period::new(starts_on, ends_on).map_err(|error| Error::Corrupt(error.to_string()))
}
