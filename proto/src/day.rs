//! Days as people, files and settings write them.

use chrono::NaiveDate;

/// A text that names no day, or not in one of the forms that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a day such as 2025-12-31 is needed")]
pub struct NotADay;

/// Reads a day: `2025-12-31`, `2025/12/31` or `2025年12月31日`.
///
/// The year has four digits, whatever the form: from `25-12-31` nobody can tell the century, and from `01/02/2025` the
/// month. With hyphens month and day have two digits, as ISO 8601 asks; spreadsheets write slashes, and people 年月日, with
/// one digit or two. Nothing else may stand in the text, around the day or in it: a caller that reads cells takes spaces
/// away first ([`tidy`](crate::text::tidy)).
///
/// # Errors
/// What is needed instead.
pub fn read_day(text: &str) -> Result<NaiveDate, NotADay> {
    parts(text)
        .and_then(|(year, month, day)| {
            let year = number(year, 4..=4)?.try_into().ok()?;
            NaiveDate::from_ymd_opt(year, number(month, 1..=2)?, number(day, 1..=2)?)
        })
        .ok_or(NotADay)
}

/// Year, month and day, which may still be anything.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let (year, rest) = text.split_at_checked(4)?;
    let (month, day) = if let Some(rest) = rest.strip_prefix('-') {
        rest.split_once('-').filter(|(month, day)| month.len() == 2 && day.len() == 2)?
    } else if let Some(rest) = rest.strip_prefix('/') {
        rest.split_once('/')?
    } else {
        rest.strip_prefix('年')?.strip_suffix('日')?.split_once('月')?
    };
    Some((year, month, day))
}

/// A number of so many digits and nothing else: `u32::from_str` would take a sign.
fn number(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let is_number = lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_in_each_of_its_forms() {
        let day = |year, month, day| Ok(NaiveDate::from_ymd_opt(year, month, day).unwrap());
        for text in ["2025-01-05", "2025/01/05", "2025/1/5", "2025/1/05", "2025年1月5日", "2025年01月05日"] {
            assert_eq!(read_day(text), day(2025, 1, 5), "{text}");
        }
        assert_eq!(read_day("2024-02-29"), day(2024, 2, 29));
        assert_eq!(read_day("2025年12月31日"), day(2025, 12, 31));
        assert_eq!(read_day("0026-01-01"), day(26, 1, 1), "how old a day may be is for those who know what it is of");
    }

    #[test]
    fn what_may_be_another_day_is_none() {
        let of_years = ["25-12-31", "25/12/31", "025-01-01", "+2025-01-01", "-2025-01-01", "02025-01-01", "25年1月1日"];
        let of_spaces =
            [" 2025-01-01", "2025-01-01 ", "2025 - 01 - 01", "2025-01- 1", "2025-01-01\n", "\u{200e}2025-01-01"];
        let of_lengths = ["2025-1-1", "2025-1-01", "2025-001-01", "2025/001/1", "2025//1", "2025/1/", "2025年月日"];
        let of_forms =
            ["2025-01/01", "2025/01-01", "2025年1月1", "2025-01", "20250101", "01/02/2025", "2025.1.1", "45658", ""];
        let of_signs = ["2025-+1-01", "2025/+1/1", "2025--1-1", "+025-01-01"];
        let of_the_calendar =
            ["2025-02-29", "2025-13-01", "2025/0/1", "2025年4月31日", "２０２５-01-01", "二〇二五年1月1日"];
        for text in [&of_years[..], &of_spaces, &of_lengths, &of_forms, &of_signs, &of_the_calendar].concat() {
            assert_eq!(read_day(text), Err(NotADay), "{text:?}");
        }
        assert_eq!(NotADay.to_string(), "a day such as 2025-12-31 is needed");
    }
}
