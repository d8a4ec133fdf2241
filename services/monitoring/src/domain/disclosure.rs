//! Look-ups and reveals of personal data.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use tongxin_platform::{named, region::RegionCode};
use uuid::Uuid;

use super::{HouseholdId, household::RevealPurpose};

named! {
    pub enum LookUpKey {
        IdNumber = "id_number",
        /// Full name of a member.
        Name = "name",
    }
}

/// A look-up or a reveal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    pub place: DisclosurePlace,
    /// `issuer|subject` of the token.
    pub subject: String,
    /// The region that was searched, or the village of the household at that time.
    pub region: RegionCode,
    pub act: Act,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    LookUp {
        key: LookUpKey,
        /// Number of households found.
        found: i32,
    },
    /// Personal data of a household was shown.
    Reveal {
        household: HouseholdId,
        purpose: RevealPurpose,
        /// Number of the file or order; may be empty.
        reference: String,
    },
}

/// Key of a list of disclosures by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DisclosurePlace {
    /// In whole microseconds.
    pub time: DateTime<Utc>,
    /// Its event in the log.
    pub id: Uuid,
}

/// Text that is no such key.
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
