//! A region of the register.

use chrono::NaiveDate;
use tongxin_proto::{register::v1, same_names};

use super::RegionRefused;
use crate::{named, region::RegionCode};

named! {
    /// Level of a region in the register, which tells villages from communities.
    pub enum RegionLevel {
        /// Province (省).
        Province = "province",
        /// City (市).
        City = "city",
        /// County, district or county-level city (县、区).
        County = "county",
        /// Town, township or street (镇、乡、街道).
        Town = "town",
        /// Administrative village (村委会).
        Village = "village",
        /// Residents' community (居委会).
        Community = "community",
    }
}

same_names!(v1::RegionLevel, RegionLevel, Province, City, County, Town, Village, Community);

/// A region as its owner states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Code.
    pub region_code: RegionCode,
    /// Name, without its ancestors'.
    pub name: String,
    /// Level.
    pub level: RegionLevel,
    /// The nearest registered ancestor; none at the top.
    pub parent_code: Option<RegionCode>,
    /// First day on which the code is valid.
    pub valid_from: NaiveDate,
    /// First day on which it no longer is.
    pub valid_until: Option<NaiveDate>,
}

impl Region {
    /// Makes sure that something may start here on a day.
    ///
    /// # Errors
    /// When the code is withdrawn by then.
    pub fn open_on(&self, day: NaiveDate) -> Result<(), RegionRefused> {
        not_withdrawn(self.region_code, self.valid_until, day)
    }
}

impl From<Region> for v1::Region {
    fn from(region: Region) -> Self {
        Self {
            code: region.region_code.to_string(),
            name: region.name,
            level: v1::RegionLevel::from(region.level).into(),
            parent_code: region.parent_code.map(|parent| parent.to_string()).unwrap_or_default(),
            valid_from: Some(region.valid_from.into()),
            valid_until: region.valid_until.map(Into::into),
            ..Self::default()
        }
    }
}

/// What started before a code was withdrawn may still be entered. When the code became valid says nothing: the first edition
/// of a register is younger than the villages in it.
pub(super) fn not_withdrawn(
    region: RegionCode,
    withdrawn: Option<NaiveDate>,
    day: NaiveDate,
) -> Result<(), RegionRefused> {
    match withdrawn.filter(|from| *from <= day) {
        Some(from) => Err(RegionRefused::Withdrawn { region, from }),
        None => Ok(()),
    }
}
