//! The key of lists: region, then identifier, which mostly rises with the time of entry.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use crate::region::{RegionCode, RegionRange};

/// The position of a row in a list: after the rows of regions with lower codes, and after those of its own region with
/// lower identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageKey<Id = Uuid> {
    /// The row's region.
    pub region: RegionCode,
    /// Distinguishes it from others of its region; a UUID rises with time.
    pub id: Id,
}

/// Text that is no such key.
#[derive(Debug)]
pub struct NotAPageKey;

impl<Id: fmt::Display> fmt::Display for PageKey<Id> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.region, self.id)
    }
}

impl<Id: FromStr> FromStr for PageKey<Id> {
    type Err = NotAPageKey;

    fn from_str(text: &str) -> Result<Self, NotAPageKey> {
        let (region, id) = text.split_once(' ').ok_or(NotAPageKey)?;
        let region = RegionCode::parse(region).map_err(|_| NotAPageKey)?;
        Ok(Self { region, id: id.parse().map_err(|_| NotAPageKey)? })
    }
}

impl<Id: Default + Ord> PageKey<Id> {
    /// The values to compare region and identifier with. Without a key they sort before every row.
    #[must_use]
    pub fn columns(after: Option<Self>) -> (i64, Id) {
        after.map_or((0, Id::default()), |place| (place.region.number(), place.id))
    }

    /// The same for a list within a range of regions, which has no other lower bound.
    #[must_use]
    pub fn columns_in(range: RegionRange, after: Option<Self>) -> (i64, Id) {
        Self::columns(after).max((range.from, Id::default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = PageKey { region: RegionCode::parse("441823107000").unwrap(), id: Uuid::from_u128(7) };
        assert_eq!(place.to_string().parse::<PageKey>().unwrap(), place);
        for text in ["", "441823107000", "4418 00000000-0000-0000-0000-000000000007", "441823107000 7"] {
            assert!(text.parse::<PageKey>().is_err(), "{text:?}");
        }
    }
    #[test]
    fn a_list_of_a_range_begins_in_it() {
        let range = RegionCode::parse("441823000000").unwrap().range();
        assert_eq!(PageKey::columns_in(range, None), (441_823_000_000, Uuid::nil()));
        let within = PageKey { region: RegionCode::parse("441823107000").unwrap(), id: Uuid::from_u128(7) };
        assert_eq!(PageKey::columns_in(range, Some(within)), (441_823_107_000, within.id));
        let before = PageKey { region: RegionCode::parse("441802000000").unwrap(), id: Uuid::from_u128(7) };
        assert_eq!(PageKey::columns_in(range, Some(before)), (441_823_000_000, Uuid::nil()));
    }
}
