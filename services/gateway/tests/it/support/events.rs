//! Events as pairing states them.

use tongxin_proto::{
    pairing::v1::{
        JointActivityHeld, JointActivityVoided, OrganisationPairedChanged, OrganisationSide, PairedChange, PairingKind,
        RegionAssistanceChanged, VillageCoverageChanged,
    },
    register::v1::{Region, RegionLevel, RegionsRecorded},
};
use uuid::Uuid;

use super::{CITY, COUNTY, NEIGHBOUR, PROVINCE, TOWN, VILLAGE, date};

/// The regions of the tests, from Guangdong down to two villages in different counties.
pub fn register() -> RegionsRecorded {
    let region = |code: &str, name: &str, level: RegionLevel, parent: &str| Region {
        code: code.to_owned(),
        name: name.to_owned(),
        level: level.into(),
        parent_code: parent.to_owned(),
        valid_from: Some(date("2023-01-01").into()),
        ..Region::default()
    };
    RegionsRecorded {
        regions: vec![
            region(PROVINCE, "广东省", RegionLevel::Province, ""),
            region(CITY, "清远市", RegionLevel::City, PROVINCE),
            region(COUNTY, "阳山县", RegionLevel::County, CITY),
            region(TOWN, "太平镇", RegionLevel::Town, COUNTY),
            region(VILLAGE, "太平村", RegionLevel::Village, TOWN),
            region("441825000000", "连山壮族瑶族自治县", RegionLevel::County, CITY),
            region("441825104000", "小三江镇", RegionLevel::Town, "441825000000"),
            region(NEIGHBOUR, "小三江村", RegionLevel::Village, "441825104000"),
        ],
    }
}

pub fn assisted(village: &str, day: &str, change: i32) -> RegionAssistanceChanged {
    RegionAssistanceChanged {
        region_code: village.to_owned(),
        level: RegionLevel::Village.into(),
        occurred_on: Some(date(day).into()),
        change,
    }
}

pub fn covered(village: &str, rule: &str, day: &str, change: i32) -> VillageCoverageChanged {
    VillageCoverageChanged {
        region_code: village.to_owned(),
        rule: rule.to_owned(),
        occurred_on: Some(date(day).into()),
        change,
    }
}

pub fn paired(
    side: OrganisationSide,
    kind: PairingKind,
    regions: &[&str],
    day: &str,
    change: i32,
) -> OrganisationPairedChanged {
    let changes = regions.iter().map(|region| PairedChange {
        region_code: (*region).to_owned(),
        occurred_on: Some(date(day).into()),
        change,
    });
    OrganisationPairedChanged {
        organisation_id: Uuid::new_v4().to_string(),
        side: side.into(),
        pairing_kind: kind.into(),
        changes: changes.collect(),
    }
}

pub fn activity(region: &str, day: &str) -> JointActivityHeld {
    JointActivityHeld {
        activity_id: Uuid::new_v4().to_string(),
        region_code: region.to_owned(),
        held_on: Some(date(day).into()),
        ..JointActivityHeld::default()
    }
}

pub fn voided(activity: &JointActivityHeld) -> JointActivityVoided {
    JointActivityVoided {
        activity_id: activity.activity_id.clone(),
        region_code: activity.region_code.clone(),
        held_on: activity.held_on,
        ..JointActivityVoided::default()
    }
}
