//! Conversions between messages and domain types.

pub(super) mod cases;
pub(super) mod disclosures;
mod household_answers;
pub(super) mod households;
mod names;
mod observations;
mod rules;
pub(super) mod signals;
pub(super) mod villages;

use chrono::NaiveDate;
use tongxin_platform::region::RegionCode;
use tongxin_proto::{Date, names::Named};
use uuid::Uuid;

pub(super) use rules::{Simulated, province, replay, rule_set_id, verdict_id};

use crate::{domain::HouseholdId, error::Error};

pub(super) fn region(field: &'static str, text: &str) -> Result<RegionCode, Error> {
    RegionCode::parse(text).map_err(|error| Error::field(field, error))
}

pub(super) fn optional_region(field: &'static str, text: &str) -> Result<Option<RegionCode>, Error> {
    if text.is_empty() { Ok(None) } else { region(field, text).map(Some) }
}

pub(super) fn uuid(field: &'static str, text: &str) -> Result<Uuid, Error> {
    Uuid::try_parse(text).map_err(|_| Error::field(field, "has to be a UUID"))
}

pub(super) fn date(field: &'static str, date: Option<Date>) -> Result<NaiveDate, Error> {
    optional_date(field, date)?.ok_or_else(|| Error::field(field, "is required"))
}

pub(super) fn optional_date(field: &'static str, date: Option<Date>) -> Result<Option<NaiveDate>, Error> {
    let read = |date: Date| NaiveDate::try_from(date).map_err(|_| Error::field(field, "is not a day of the calendar"));
    date.map(read).transpose()
}

/// A required value.
pub(super) fn named<T: Named>(field: &'static str, number: i32) -> Result<T, Error> {
    T::read(number).ok_or_else(|| Error::field(field, "is required"))
}

/// Converts every value.
pub(super) fn all<T, U: From<T>>(values: Vec<T>) -> Vec<U> {
    values.into_iter().map(U::from).collect()
}

pub(super) fn household_id(field: &'static str, text: &str) -> Result<HouseholdId, Error> {
    uuid(field, text).map(HouseholdId)
}
