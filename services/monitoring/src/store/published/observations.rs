//! What happened to observations. They belong to their household.

use tongxin_platform::log::NewEvent;
use tongxin_proto::monitoring::v1;

use crate::store::observations::OfHousehold;

pub(in crate::store) fn recorded((household, region, observation): &OfHousehold) -> NewEvent {
    let window_ends_on = observation.stated.window_ends_on;
    let payload = v1::ObservationRecorded {
        household_id: household.to_string(),
        window_ends_on: Some(window_ends_on.into()),
        version: observation.version,
    };
    NewEvent::new(("household", household), *region, window_ends_on, &payload)
}
