//! Subcommands, one file each.

pub mod audit;
pub mod check;
pub mod check_config;
pub mod export;
pub mod funnel;
pub mod holidays;
pub mod import;
pub mod log;
pub mod migrate;
pub mod overdue;
pub mod rules;
pub mod scorecard;
pub mod screen;
pub mod serve;
pub mod template;
pub mod token;

use chrono::NaiveDate;
use tongxin_platform::region::RegionCode;

fn region(text: &str) -> Result<RegionCode, String> {
    RegionCode::parse(text).map_err(|error| error.to_string())
}

fn day(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| "a day such as 2025-12-31 is needed".to_owned())
}
