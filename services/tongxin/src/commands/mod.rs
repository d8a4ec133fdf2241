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
use tongxin_platform::{
    day::Day,
    region::{NotARegionCode, RegionCode},
};
use tongxin_proto::{monitoring::v1::Department, text::tidy_code, words::Word as _};

use crate::lang::told;

fn region(text: &str) -> Result<RegionCode, String> {
    RegionCode::parse(&tidy_code(text)).map_err(|error| no_region(text, &error))
}

/// Why a text is no code of a region.
fn no_region(text: &str, error: &NotARegionCode) -> String {
    told!("{error}", "{text:?} 不是区划代码：应为 12 位数字，例如 441823107000")
}

fn department(word: &str) -> Result<Department, String> {
    let words = Department::words().join(", ");
    Department::named(word).map_err(|error| told!("{error}", "没有 {word:?} 这个部门，可用的有 {words}"))
}

fn day(text: &str) -> Result<NaiveDate, String> {
    Day::read(text).map(NaiveDate::from).map_err(|error| told!("{error}", "应为日期，例如 2025-12-31"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_with_invisible_characters_is_read() {
        assert_eq!(region("\u{200b}４４1823107201 ").unwrap(), RegionCode::parse("441823107201").unwrap());
        assert_eq!(day("\u{200e}2025/1/5"), Ok(NaiveDate::from_ymd_opt(2025, 1, 5).unwrap()));
    }

    #[test]
    fn a_day_has_a_year_of_four_digits() {
        for text in ["21-01-01", "25-12-31", "26-01-01", "+2025-01-01", "2025-1-1", "2025 - 01 - 01", ""] {
            assert_eq!(day(text), Err("a day such as 2025-12-31 is needed".to_owned()), "{text}");
        }
    }
}
