//! Who looked for whom, or saw what is personal.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use tongxin_platform::{named, region::RegionCode};
use uuid::Uuid;

use super::{HouseholdId, household::RevealPurpose};

named! {
    /// By what households are looked up.
    pub enum LookUpKey {
        /// The ID number of somebody who belongs to it.
        IdNumber = "id_number",
        /// The full name of somebody who belongs to it.
        Name = "name",
    }
}

/// A look-up or a reveal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// When, and which.
    pub place: DisclosurePlace,
    /// Issuer and subject of the token, as `issuer|subject`.
    pub subject: String,
    /// The region that was looked in, or the village of the household at that time.
    pub region: RegionCode,
    /// What was done.
    pub act: Act,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Households were looked up.
    LookUp {
        /// By what.
        key: LookUpKey,
        /// How many were found.
        found: i32,
    },
    /// What is personal of a household was shown.
    Reveal {
        /// The household.
        household: HouseholdId,
        /// Why.
        purpose: RevealPurpose,
        /// Number of the file or order; may be empty.
        reference: String,
    },
}

/// Where a disclosure stands in a list by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DisclosurePlace {
    /// When it was, in whole microseconds.
    pub time: DateTime<Utc>,
    /// Its event in the log.
    pub id: Uuid,
}

/// Text that names no place.
#[derive(Debug)]
pub struct NotAPlace;

impl fmt::Display for DisclosurePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.time.timestamp_micros(), self.id)
    }
}

impl FromStr for DisclosurePlace {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let (micros, id) = text.split_once(' ').ok_or(NotAPlace)?;
        let time = micros.parse().ok().and_then(DateTime::from_timestamp_micros).ok_or(NotAPlace)?;
        Ok(Self { time, id: id.parse().map_err(|_| NotAPlace)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let time = DateTime::from_timestamp_micros(1_751_256_000_123_456).unwrap();
        let place = DisclosurePlace { time, id: Uuid::from_u128(7) };
        assert_eq!(place.to_string().parse::<DisclosurePlace>().unwrap(), place);
        assert!("1 2".parse::<DisclosurePlace>().is_err() && "".parse::<DisclosurePlace>().is_err());
    }
}
