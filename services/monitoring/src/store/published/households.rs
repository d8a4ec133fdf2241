//! Events of households.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use tongxin_platform::{import::ImportId, log::NewEvent, region::RegionCode, request::Context};
use tongxin_proto::monitoring::v1;

use super::counts::{as_event, count_changed};
use crate::{
    domain::{
        HouseholdId,
        disclosure::LookUpKey,
        household::{Household, HouseholdEvent, RevealPurpose},
        merge::Pair,
    },
    store::households::Head,
};

const HOUSEHOLD: &str = "household";
const IMPORT: &str = "import";
const LOOK_UP: &str = "look_up";

/// One event, and one count, for each village and day. Their aggregate is the import, which is locked, or the one
/// household that is new.
pub(in crate::store) fn registered(
    households: &[&Household],
    import: Option<ImportId>,
    context: &Context,
) -> Vec<NewEvent> {
    let mut by_village: BTreeMap<(RegionCode, NaiveDate), Vec<HouseholdId>> = BTreeMap::new();
    for household in households {
        by_village.entry((household.region, household.registered_on)).or_default().push(household.id);
    }
    let mut events = Vec::with_capacity(2 * by_village.len());
    for ((region, on), ids) in by_village {
        let aggregate = match import {
            Some(import) => (IMPORT, import.aggregate(&context.actor).to_string()),
            None => (HOUSEHOLD, ids[0].to_string()),
        };
        let payload = v1::HouseholdsRegistered {
            region_code: region.to_string(),
            household_ids: ids.iter().map(HouseholdId::to_string).collect(),
            occurred_on: Some(on.into()),
            import_id: import.map(|import| import.to_string()).unwrap_or_default(),
        };
        let change = i64::try_from(ids.len()).unwrap_or(i64::MAX);
        events.push(NewEvent::new((aggregate.0, &aggregate.1), region, on, &payload));
        events.push(count(aggregate.1, region, on, change));
    }
    events
}

/// The number of registered households of a village changes from a day on.
fn count(subject: String, region: RegionCode, on: NaiveDate, change: i64) -> NewEvent {
    as_event(region, on, &count_changed(v1::Counted::Households, subject, region, on, change, "", &[]))
}

pub(in crate::store) fn changed(household: &Household, event: &HouseholdEvent, context: &Context) -> Vec<NewEvent> {
    let Household { id, region, version, .. } = household;
    match event {
        HouseholdEvent::Changed => {
            let payload = v1::HouseholdChanged {
                household_id: id.to_string(),
                region_code: region.to_string(),
                version: *version,
            };
            vec![NewEvent::new((HOUSEHOLD, id), *region, context.today(), &payload)]
        }
        HouseholdEvent::Moved(moved) => {
            let payload = v1::HouseholdMoved {
                household_id: id.to_string(),
                from_region_code: moved.from.to_string(),
                region_code: moved.to.to_string(),
                moved_on: Some(moved.moved_on.into()),
            };
            vec![
                NewEvent::new((HOUSEHOLD, id), moved.to, moved.moved_on, &payload),
                count(id.to_string(), moved.from, moved.moved_on, -1),
                count(id.to_string(), moved.to, moved.moved_on, 1),
            ]
        }
    }
}

/// Contains the actor, the kind of key, the region and the number found; neither the key nor the households. Each is an
/// aggregate of its own, so that concurrent look-ups do not wait for each other.
pub(in crate::store) fn looked_up((key, region): (LookUpKey, RegionCode), found: usize, context: &Context) -> NewEvent {
    let payload = v1::HouseholdsLookedUp {
        key: v1::LookUpKey::from(key).into(),
        region_code: region.to_string(),
        found: i32::try_from(found).unwrap_or(i32::MAX),
    };
    NewEvent::new((LOOK_UP, context.new_id()), region, context.today(), &payload)
}

/// Contains the actor, the household and the purpose; nothing of what was shown.
pub(in crate::store) fn revealed(
    head: &Head,
    (purpose, reference): (RevealPurpose, String),
    context: &Context,
) -> NewEvent {
    let payload = v1::HouseholdRevealed {
        household_id: head.id.to_string(),
        purpose: v1::RevealPurpose::from(purpose).into(),
        reference,
    };
    NewEvent::new((HOUSEHOLD, head.id), head.region, context.today(), &payload)
}

pub(in crate::store) fn merged(pair: &Pair) -> Vec<NewEvent> {
    let Pair { kept, merged, merge } = pair;
    let payload = v1::HouseholdsMerged {
        merge_id: merge.id.to_string(),
        kept_id: kept.id.to_string(),
        merged_id: merged.id.to_string(),
        merged_on: Some(merge.merged_on.into()),
    };
    vec![
        NewEvent::new((HOUSEHOLD, kept.id), kept.region, merge.merged_on, &payload),
        count(merged.id.to_string(), merged.region, merge.merged_on, -1),
    ]
}

pub(in crate::store) fn parted(pair: &Pair, undone_on: NaiveDate) -> Vec<NewEvent> {
    let Pair { kept, merged, merge } = pair;
    let payload = v1::MergeUndone {
        merge_id: merge.id.to_string(),
        kept_id: kept.id.to_string(),
        merged_id: merged.id.to_string(),
        undone_on: Some(undone_on.into()),
    };
    vec![
        NewEvent::new((HOUSEHOLD, kept.id), kept.region, undone_on, &payload),
        count(merged.id.to_string(), merged.region, undone_on, 1),
    ]
}
