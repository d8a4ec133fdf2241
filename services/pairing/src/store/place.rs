//! The order of lists: by region, then by the time of entry.

use std::{fmt, str::FromStr};

use tongxin_platform::region::{RegionCode, RegionRange};
use uuid::Uuid;

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

/// What a query compares with: everything comes after the place that is none.
pub(super) fn columns(after: Option<Place>) -> (i64, Uuid) {
    after.map_or((0, Uuid::nil()), |place| (place.region.number(), place.id))
}

/// What lies in both: the region that is asked for, if one is, and the caller's.
pub(super) fn common(asked: Option<RegionCode>, own: RegionCode) -> RegionRange {
    let asked = asked.map_or(RegionRange::EVERYWHERE, RegionCode::range);
    let RegionRange { from, until } = own.range();
    RegionRange { from: from.max(asked.from), until: until.min(asked.until) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(text: &str) -> RegionCode {
        RegionCode::parse(text).unwrap()
    }

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = Place { region: region("441823107000"), id: Uuid::from_u128(7) };
        assert_eq!(place.to_string().parse::<Place>().unwrap(), place);
        for text in ["", "441823107000", "4418 00000000-0000-0000-0000-000000000007", "441823107000 7"] {
            assert!(text.parse::<Place>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn of_two_regions_the_smaller_is_common_and_of_strangers_nothing() {
        let (county, town) = (region("441823000000"), region("441823107000"));
        assert_eq!(common(None, county), county.range());
        assert_eq!(common(Some(town), county), town.range());
        assert_eq!(common(Some(county), town), town.range());
        let strangers = common(Some(region("441825000000")), town);
        assert!(strangers.from >= strangers.until);
    }
}
