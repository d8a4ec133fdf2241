//! Events of rule sets and holidays.

use tongxin_platform::{log::NewEvent, region::RegionCode, request::Context};
use tongxin_proto::monitoring::v1;

use crate::domain::rule_set::RuleSet;

pub(in crate::store) fn stored(rule_set: &RuleSet) -> NewEvent {
    let payload = v1::RuleSetStored {
        rule_set_id: rule_set.id.to_string(),
        region_code: rule_set.region.to_string(),
        effective_from: Some(rule_set.effective_from.into()),
    };
    NewEvent::new(("rule_set", rule_set.id), rule_set.region, rule_set.effective_from, &payload)
}

pub(in crate::store) fn holidays_set(context: &Context, (province, year): (RegionCode, i32), days: usize) -> NewEvent {
    let days = i32::try_from(days).unwrap_or(i32::MAX);
    let payload = v1::HolidaysSet { year, days, region_code: province.to_string() };
    NewEvent::new(("holidays", format!("{province}/{year}")), province, context.today(), &payload)
}
