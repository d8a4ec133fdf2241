//! Events of observations. Their aggregate is the household.

use std::collections::{BTreeMap, BTreeSet};

use tongxin_platform::{import::ImportId, log::NewEvent, region::RegionCode, request::Context};
use tongxin_proto::monitoring::v1;

use crate::{domain::HouseholdId, store::observations::OfHousehold};

pub(in crate::store) fn recorded((household, region, observation): &OfHousehold) -> NewEvent {
    let window_ends_on = observation.stated.window_ends_on;
    let payload = v1::ObservationRecorded {
        household_id: household.to_string(),
        window_ends_on: Some(window_ends_on.into()),
        version: observation.version,
    };
    NewEvent::new(("household", household), *region, window_ends_on, &payload)
}

/// One event for each village. Their aggregate is the import, which is locked.
pub(in crate::store) fn imported(import: ImportId, observations: &[OfHousehold], context: &Context) -> Vec<NewEvent> {
    let mut by_village: BTreeMap<RegionCode, BTreeSet<HouseholdId>> = BTreeMap::new();
    for (household, region, _) in observations {
        by_village.entry(*region).or_default().insert(*household);
    }
    let aggregate = import.aggregate(&context.actor);
    let event = |(region, households): (RegionCode, BTreeSet<HouseholdId>)| {
        let payload = v1::ObservationsImported {
            region_code: region.to_string(),
            import_id: import.to_string(),
            household_ids: households.iter().map(HouseholdId::to_string).collect(),
        };
        NewEvent::new(("import", aggregate), region, context.today(), &payload)
    };
    by_village.into_iter().map(event).collect()
}
