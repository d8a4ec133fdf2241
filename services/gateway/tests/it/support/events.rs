//! Events as pairing states them.

use tongxin_platform::testing::register::regions;
use tongxin_proto::{
    pairing::v1::{
        JointActivityHeld, JointActivityVoided, OrganisationPairedChanged, OrganisationSide, PairedChange, PairingKind,
        RegionAssistanceChanged, VillageCoverageChanged,
    },
    register::v1::{RegionLevel, RegionsRecorded},
};
use uuid::Uuid;

use super::date;

pub fn register() -> RegionsRecorded {
    RegionsRecorded { regions: regions() }
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
