//! Which rule set applies to a village on a day.

use chrono::{DateTime, NaiveDate, Utc};
use tongxin_platform::region::RegionCode;

use super::RuleSetId;

/// Region and period of a rule set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub id: RuleSetId,
    /// Of any level.
    pub region: RegionCode,
    pub from: NaiveDate,
    /// Exclusive.
    pub until: Option<NaiveDate>,
    pub record_time: DateTime<Utc>,
}

impl Extent {
    fn binds(&self, village: RegionCode, day: NaiveDate) -> bool {
        self.region.contains(village) && self.from <= day && self.until.is_none_or(|until| day < until)
    }
}

/// The rule set in force: of the nearest region, the newest. Same result as `store::rule_sets::in_force`, for many
/// villages and days.
#[must_use]
pub fn in_force(extents: &[Extent], village: RegionCode, day: NaiveDate) -> Option<RuleSetId> {
    let binding = extents.iter().filter(|extent| extent.binds(village, day));
    binding.max_by_key(|extent| (extent.region.level(), extent.from, extent.record_time)).map(|extent| extent.id)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn extent(id: u128, region: &str, from: &str, until: Option<&str>) -> Extent {
        Extent {
            id: RuleSetId(Uuid::from_u128(id)),
            region: RegionCode::parse(region).unwrap(),
            from: from.parse().unwrap(),
            until: until.map(|text| text.parse().unwrap()),
            record_time: DateTime::from_timestamp(i64::try_from(id).unwrap(), 0).unwrap(),
        }
    }

    fn chosen(village: &str, day: &str) -> Option<u128> {
        let extents = [
            extent(1, "440000000000", "2021-01-01", Some("2026-01-01")),
            extent(2, "440000000000", "2023-01-01", None),
            extent(3, "441823000000", "2022-01-01", Some("2024-01-01")),
            extent(5, "441823000000", "2025-01-01", None),
            extent(4, "441823000000", "2025-01-01", None),
        ];
        let village = RegionCode::parse(village).unwrap();
        in_force(&extents, village, day.parse().unwrap()).map(|id| id.0.as_u128())
    }

    #[test]
    fn the_nearest_region_wins_then_the_newest() {
        assert_eq!(chosen("441823107201", "2021-06-01"), Some(1));
        assert_eq!(chosen("441823107201", "2023-06-01"), Some(3));
        assert_eq!(chosen("441825104200", "2023-06-01"), Some(2));
        assert_eq!(chosen("441823107201", "2024-01-01"), Some(2));
        // Two from the same day: the one stored later.
        assert_eq!(chosen("441823107201", "2025-01-01"), Some(5));
        assert_eq!(chosen("441823107201", "2020-12-31"), None);
        assert_eq!(chosen("450102001001", "2023-06-01"), None);
    }
}
