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
use tongxin_platform::region::{NotARegionCode, RegionCode};
use tongxin_proto::{monitoring::v1::Department, words::Word as _};

use crate::lang::told;

fn region(text: &str) -> Result<RegionCode, String> {
    RegionCode::parse(text).map_err(|error| no_region(text, &error))
}

/// Why a text is no code of a region.
fn no_region(text: &str, error: &NotARegionCode) -> String {
    told!("{error}", "{text:?} 不是区划代码：应为 12 位数字，例如 441823107000")
}

fn department(word: &str) -> Result<Department, String> {
    Department::named(word)
        .map_err(|error| told!("{error}", "没有 {word:?} 这个部门，可用的有 {}", Department::words().join(", ")))
}

fn day(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| told!("a day such as 2025-12-31 is needed", "应为日期，例如 2025-12-31"))
}
