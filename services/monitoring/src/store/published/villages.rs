//! Events of the incomes of villages.

use tongxin_platform::log::NewEvent;
use tongxin_proto::monitoring::v1;

use crate::domain::income::{TierChange, VillageIncome, last_day};

const VILLAGE_INCOME: &str = "village_income";

/// Incomes of a village are one aggregate: they change one after the other.
fn aggregate(income: &VillageIncome) -> (&'static str, String) {
    (VILLAGE_INCOME, format!("{VILLAGE_INCOME}/{}", income.region))
}

/// An income was recorded or corrected.
pub fn income_recorded(income: &VillageIncome) -> NewEvent {
    let payload = v1::VillageIncomeRecorded {
        region_code: income.region.to_string(),
        year: income.year,
        total_fen: income.amounts.total(),
    };
    NewEvent::new(aggregate(income), income.region, last_day(income.year), &payload)
}

/// A village rose above a tier, or fell below it.
pub fn tier_changed(income: &VillageIncome, TierChange { tier, on, change }: &TierChange) -> NewEvent {
    let payload = v1::VillageIncomeTierChanged {
        region_code: income.region.to_string(),
        tier: tier.clone(),
        occurred_on: Some((*on).into()),
        change: *change,
    };
    NewEvent::new(aggregate(income), income.region, *on, &payload)
}
