//! The order of lists: by region, then by the time of entry.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use crate::region::{RegionCode, RegionRange};

/// Where a row stands in a list: after those of regions with lower codes, and after older ones of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The row's region.
    pub region: RegionCode,
    /// Its identifier, which rises with time.
    pub id: Uuid,
}

/// Text that names no place.
#[derive(Debug)]
pub struct NotAPlace;

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.region, self.id)
    }
}

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let (region, id) = text.split_once(' ').ok_or(NotAPlace)?;
        let region = RegionCode::parse(region).map_err(|_| NotAPlace)?;
        Ok(Self { region, id: Uuid::try_parse(id).map_err(|_| NotAPlace)? })
    }
}

impl Place {
    /// What a query compares region and identifier with: everything comes after the place that is none.
    #[must_use]
    pub fn columns(after: Option<Self>) -> (i64, Uuid) {
        after.map_or((0, Uuid::nil()), |place| (place.region.number(), place.id))
    }

    /// The same for a list of a range that is bounded below by nothing else.
    #[must_use]
    pub fn columns_in(range: RegionRange, after: Option<Self>) -> (i64, Uuid) {
        Self::columns(after).max((range.from, Uuid::nil()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = Place { region: RegionCode::parse("441823107000").unwrap(), id: Uuid::from_u128(7) };
        assert_eq!(place.to_string().parse::<Place>().unwrap(), place);
        for text in ["", "441823107000", "4418 00000000-0000-0000-0000-000000000007", "441823107000 7"] {
            assert!(text.parse::<Place>().is_err(), "{text:?}");
        }
    }
    #[test]
    fn a_list_of_a_range_begins_in_it() {
        let range = RegionCode::parse("441823000000").unwrap().range();
        assert_eq!(Place::columns_in(range, None), (441_823_000_000, Uuid::nil()));
        let within = Place { region: RegionCode::parse("441823107000").unwrap(), id: Uuid::from_u128(7) };
        assert_eq!(Place::columns_in(range, Some(within)), (441_823_107_000, within.id));
        let before = Place { region: RegionCode::parse("441802000000").unwrap(), id: Uuid::from_u128(7) };
        assert_eq!(Place::columns_in(range, Some(before)), (441_823_000_000, Uuid::nil()));
    }
}
