//! Regions by their 12-digit statistical code: 2 digits province, 2 city, 2 county, 3 town,
//! 3 village; shorter levels are padded with zeros.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::column;

/// Level of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The whole country (全国), the level of [`RegionCode::COUNTRY`] alone.
    Country,
    /// Province (省).
    Province,
    /// City (市).
    City,
    /// County, district or county-level city (县、区).
    County,
    /// Town, township or street (镇、乡、街道).
    Town,
    /// Village or residents' community (村、居委会).
    Village,
}

impl Level {
    /// The levels that have a segment in the code, from the top: all but the country.
    pub const ALL: [Self; 5] = [Self::Province, Self::City, Self::County, Self::Town, Self::Village];

    /// Its name in configuration, SQL and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Province => "province",
            Self::City => "city",
            Self::County => "county",
            Self::Town => "town",
            Self::Village => "village",
        }
    }

    /// How many codes a region of this level holds.
    const fn weight(self) -> i64 {
        match self {
            Self::Country => RegionRange::EVERYWHERE.until,
            Self::Province => 10_000_000_000,
            Self::City => 100_000_000,
            Self::County => 1_000_000,
            Self::Town => 1_000,
            Self::Village => 1,
        }
    }
}

/// The code of a region. It is compared by segments, never as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RegionCode(i64);

column!(RegionCode as i64, |code: &RegionCode| code.number(), RegionCode::from_number);

/// Text or a number that is no region code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a region code: 12 digits such as 441823107000 are needed")]
pub struct NotARegionCode(String);

impl RegionCode {
    /// The whole country, `000000000000`: a region of callers, which no register lists. So [`parse`](Self::parse),
    /// which reads requests and files, refuses it.
    pub const COUNTRY: Self = Self(0);

    /// Parses the 12 digits of a region of the register.
    ///
    /// # Errors
    /// If it is not 12 digits, or the first is zero.
    pub fn parse(text: &str) -> Result<Self, NotARegionCode> {
        let is_code = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if is_code && number != Self::COUNTRY.0 => Self::from_number(number),
            _ => Err(NotARegionCode(text.to_owned())),
        }
    }

    /// Parses the 12 digits of a caller's region: one of the register, or the country.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), but for the country.
    pub fn parse_of_caller(text: &str) -> Result<Self, NotARegionCode> {
        if text == "000000000000" { Ok(Self::COUNTRY) } else { Self::parse(text) }
    }

    /// A code as stored in the database; 0 is the country.
    ///
    /// # Errors
    /// If the number does not have exactly 12 digits.
    pub fn from_number(number: i64) -> Result<Self, NotARegionCode> {
        if number == Self::COUNTRY.0 || (100_000_000_000..1_000_000_000_000).contains(&number) {
            Ok(Self(number))
        } else {
            Err(NotARegionCode(number.to_string()))
        }
    }

    /// The 12 digits as a number.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The level: that of the last segment that is not zero. Towns directly below a city have a zero segment in between
    /// (441900003000), which does not change their level.
    #[must_use]
    pub fn level(self) -> Level {
        if self == Self::COUNTRY {
            return Level::Country;
        }
        let last = Level::ALL.iter().rev().find(|level| self.segment(**level) != 0);
        last.copied().unwrap_or(Level::Province)
    }

    /// The number within its level's segment.
    #[must_use]
    pub fn segment(self, level: Level) -> i64 {
        let above = match level {
            // The country's own segment would be the whole code.
            Level::Country | Level::Province => i64::MAX,
            Level::City => Level::Province.weight(),
            Level::County => Level::City.weight(),
            Level::Town => Level::County.weight(),
            Level::Village => Level::Town.weight(),
        };
        self.0 % above / level.weight()
    }

    /// This region or its ancestor at a level; `None` if this one is higher, or the code has no such level (a town
    /// directly below a city has no county).
    #[must_use]
    pub fn at(self, level: Level) -> Option<Self> {
        if level > self.level() || self.segment(level) == 0 {
            return None;
        }
        Some(Self(self.0 - self.0 % level.weight()))
    }

    /// This region and its ancestors, from the top.
    pub fn with_ancestors(self) -> impl Iterator<Item = Self> {
        Level::ALL.into_iter().filter_map(move |level| self.at(level))
    }

    /// The region directly above; `None` for a province.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        let level = self.level();
        Level::ALL.into_iter().rev().filter(|above| *above < level).find_map(|above| self.at(above))
    }

    /// Whether the other region is this one or in it.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.range().contains(other)
    }

    /// The codes of this region and of all regions in it.
    #[must_use]
    pub fn range(self) -> RegionRange {
        RegionRange { from: self.0, until: self.0 + self.level().weight() }
    }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:012}", self.0)
    }
}

impl TryFrom<String> for RegionCode {
    type Error = NotARegionCode;

    fn try_from(text: String) -> Result<Self, NotARegionCode> {
        Self::parse(&text)
    }
}

impl From<RegionCode> for String {
    fn from(code: RegionCode) -> Self {
        code.to_string()
    }
}

/// A half-open range of codes, `from <= code < until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionRange {
    /// First code in the range.
    pub from: i64,
    /// First code after the range.
    pub until: i64,
}

impl RegionRange {
    /// Every code; for relay, consumers and other work without a caller.
    pub const EVERYWHERE: Self = Self { from: 0, until: 1_000_000_000_000 };

    /// The intersection of both ranges.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), until: self.until.min(other.until) }
    }

    /// Whether the region is in the range.
    #[must_use]
    pub const fn contains(self, code: RegionCode) -> bool {
        self.from <= code.0 && code.0 < self.until
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(text: &str) -> RegionCode {
        RegionCode::parse(text).unwrap()
    }

    #[test]
    fn of_two_ranges_the_smaller_is_common_and_of_strangers_nothing() {
        let (county, town) = (code("441823000000").range(), code("441823107000").range());
        assert_eq!(RegionRange::EVERYWHERE.and(county), county);
        assert_eq!(county.and(town), town);
        assert_eq!(town.and(county), town);
        let strangers = code("441825000000").range().and(town);
        assert!(strangers.from >= strangers.until);
    }

    #[test]
    fn the_level_is_that_of_the_last_segment() {
        for (text, level) in [
            ("440000000000", Level::Province),
            ("441800000000", Level::City),
            ("441823000000", Level::County),
            ("441823107000", Level::Town),
            ("441823107201", Level::Village),
            ("441900003000", Level::Town),
        ] {
            assert_eq!(code(text).level(), level, "{text}");
        }
    }

    #[test]
    fn the_country_holds_every_region_and_is_read_for_callers_alone() {
        let country = RegionCode::parse_of_caller("000000000000").unwrap();
        assert_eq!(
            (country, country.level(), country.range()),
            (RegionCode::COUNTRY, Level::Country, RegionRange::EVERYWHERE)
        );
        assert_eq!((country.parent(), country.with_ancestors().count()), (None, 0));
        assert_eq!((country.to_string(), RegionCode::from_number(0)), ("000000000000".to_owned(), Ok(country)));
        for region in ["110000000000", "441823107201", "999999999999"] {
            assert!(country.contains(code(region)) && !code(region).contains(country), "{region}");
            assert_eq!(RegionCode::parse_of_caller(region), Ok(code(region)));
        }
        for text in ["0", "00000000000", "0000000000000", "041823107000", "０００００００００００００", "-00000000000"]
        {
            assert!(RegionCode::parse_of_caller(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_town_below_a_city_has_no_county() {
        let town = code("441900003001");
        assert_eq!(town.at(Level::County), None);
        assert_eq!(town.parent(), Some(code("441900003000")));
        assert_eq!(code("441900003000").parent(), Some(code("441900000000")));
    }

    #[test]
    fn neighbours_do_not_contain_each_other() {
        assert!(code("441823000000").contains(code("441823107201")));
        assert!(!code("441823000000").contains(code("441825104000")));
        assert!(!code("441823107201").contains(code("441823107000")));
        assert!(code("990000000000").contains(code("999999999999")));
    }

    #[test]
    fn only_twelve_digits_are_a_code() {
        for text in [
            "",
            "44",
            "000000000000",
            "041823107000",
            "4418231070000",
            "44182310700a",
            "４４１８２３１０７０００",
            "+41823107000",
        ] {
            assert!(RegionCode::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_region_lies_in_each_of_its_ancestors(number in 110_000_000_000_i64..999_999_999_999) {
            let region = RegionCode::from_number(number).unwrap();
            prop_assert_eq!(RegionCode::parse(&region.to_string()), Ok(region));
            let line: Vec<_> = region.with_ancestors().collect();
            prop_assert_eq!(line.last(), Some(&region));
            for pair in line.windows(2) {
                prop_assert!(pair[0].contains(pair[1]) && !pair[1].contains(pair[0]));
                prop_assert_eq!(pair[1].parent(), Some(pair[0]));
            }
        }
    }
}
