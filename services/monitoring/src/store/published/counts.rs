//! Counts: signed, dated changes.

use chrono::NaiveDate;
use tongxin_platform::{log::NewEvent, region::RegionCode};
use tongxin_proto::monitoring::v1;

use crate::domain::risk::Risk;

/// A signed change of a count of a village from a day on. Category and risks are for counts that are broken down by
/// them.
pub fn count_changed(
    counted: v1::Counted,
    subject: String,
    region: RegionCode,
    on: NaiveDate,
    change: i64,
    category: &str,
    risks: &[Risk],
) -> v1::CountChanged {
    v1::CountChanged {
        counted: counted.into(),
        subject,
        region_code: region.to_string(),
        occurred_on: Some(on.into()),
        change,
        category: category.to_owned(),
        risks: risks.iter().map(|risk| v1::Risk::from(*risk).into()).collect(),
    }
}

/// The same as an event of its own.
pub fn as_event(region: RegionCode, on: NaiveDate, stated: &v1::CountChanged) -> NewEvent {
    NewEvent::new(("count", &stated.subject), region, on, stated)
}
