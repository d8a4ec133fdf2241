//! Resident identity numbers (GB 11643): 6 digits for the place of first registration, 8 for the day of birth, 3 of
//! sequence, the last of which gives the sex, and a check digit. Unknown and retired places are accepted;
//! [`is_place_known`] recognises them.

use std::fmt;

use chrono::NaiveDate;
use secrecy::{ExposeSecret as _, SecretString};

use super::sex::Sex;

const LENGTH: usize = 18;
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_DIGITS: [u8; 11] = *b"10X98765432";

/// Nobody born earlier is alive; such a number is mistyped.
const FIRST_YEAR: i32 = 1900;

/// The first two digits of every province.
const PROVINCES: [&str; 34] = [
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43", "44",
    "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82",
];

/// Prefixes of numbers that were issued in Qingyuan before its counties got their current codes.
const RETIRED: [&str; 7] = ["441822", "441824", "441827", "441811", "4401", "4402", "4426"];

/// A number whose check digit and day of birth are valid. It is never printed.
#[derive(Clone)]
pub struct IdNumber {
    text: SecretString,
    birth_date: NaiveDate,
    sex: Sex,
}

/// Why a text is not an ID number. Never contains the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnIdNumber {
    /// Not 17 digits followed by a digit or X.
    #[error("is not made of 17 digits and a check digit")]
    Form,
    #[error("has a wrong check digit")]
    CheckDigit,
    /// The day does not exist, or is too long ago.
    #[error("holds a day of birth that does not exist")]
    BirthDate,
}

impl IdNumber {
    /// Parses a number, with an upper-case or lower-case X.
    pub fn parse(text: &str) -> Result<Self, NotAnIdNumber> {
        let upper = text.to_ascii_uppercase();
        let (digits, check) = upper.as_bytes().split_last_chunk::<1>().ok_or(NotAnIdNumber::Form)?;
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        if upper.len() != LENGTH || !digits.iter().all(is_digit) || !(is_digit(&check[0]) || check == b"X") {
            return Err(NotAnIdNumber::Form);
        }
        if check[0] != check_digit(digits) {
            return Err(NotAnIdNumber::CheckDigit);
        }
        let birth_date = birth_date(&upper[6..14]).ok_or(NotAnIdNumber::BirthDate)?;
        let sex = if digits[16] % 2 == 1 { Sex::Male } else { Sex::Female };
        Ok(Self { text: upper.into(), birth_date, sex })
    }

    /// In upper case.
    #[must_use]
    pub fn text(&self) -> &SecretString {
        &self.text
    }

    #[must_use]
    pub fn birth_date(&self) -> NaiveDate {
        self.birth_date
    }

    #[must_use]
    pub fn sex(&self) -> Sex {
        self.sex
    }
}

impl PartialEq for IdNumber {
    fn eq(&self, other: &Self) -> bool {
        self.text.expose_secret() == other.text.expose_secret()
    }
}

impl fmt::Debug for IdNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IdNumber")
    }
}

/// Whether a text that is to be stored in plain contains an ID number.
#[must_use]
pub fn is_in(text: &str) -> bool {
    let windows = (0..text.len().saturating_sub(LENGTH - 1)).filter_map(|start| text.get(start..start + LENGTH));
    windows.into_iter().any(|window| IdNumber::parse(window).is_ok())
}

/// Whether a number begins with the code of a place in use.
#[must_use]
pub fn is_place_known(number: &str) -> bool {
    let begins = |place: &&str| number.starts_with(*place);
    PROVINCES.iter().any(begins) && !RETIRED.iter().any(begins)
}

fn check_digit(digits: &[u8]) -> u8 {
    let sum: u32 = WEIGHTS.iter().zip(digits).map(|(weight, digit)| weight * u32::from(digit - b'0')).sum();
    CHECK_DIGITS[sum as usize % CHECK_DIGITS.len()]
}

fn birth_date(digits: &str) -> Option<NaiveDate> {
    let (year, month, day) = (digits[..4].parse().ok()?, digits[4..6].parse().ok()?, digits[6..].parse().ok()?);
    NaiveDate::from_ymd_opt(year, month, day).filter(|_| year >= FIRST_YEAR)
}

/// An ID number for a day of birth, for tests of other rules.
#[cfg(test)]
pub fn sample(birth_date: &str, order: u32) -> IdNumber {
    let digits = format!("441823{}{order:03}", birth_date.replace('-', ""));
    IdNumber::parse(&format!("{digits}{}", char::from(check_digit(digits.as_bytes())))).expect("a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(String, Sex), NotAnIdNumber> {
        IdNumber::parse(text).map(|number| (number.birth_date().to_string(), number.sex()))
    }

    #[test]
    fn birth_date_and_sex_are_read() {
        for (text, birth_date, sex) in [
            ("11010519491231002X", "1949-12-31", Sex::Female),
            ("110101202311012176", "2023-11-01", Sex::Male),
            ("44011320141005001X", "2014-10-05", Sex::Male),
            ("360426199101010071", "1991-01-01", Sex::Male),
        ] {
            assert_eq!(parsed(text), Ok((birth_date.to_owned(), sex)), "{text}");
        }
    }

    #[test]
    fn a_small_x_is_as_good_as_a_large_one() {
        let number = IdNumber::parse("11010519491231002x").unwrap();
        assert_eq!(number.text().expose_secret(), "11010519491231002X");
        assert_eq!(number, IdNumber::parse("11010519491231002X").unwrap());
    }

    #[test]
    fn every_wrong_digit_is_found() {
        assert_eq!(parsed("110101202311012171"), Err(NotAnIdNumber::CheckDigit));
        let right = "360426199101010071";
        for (place, other) in (0..right.len()).flat_map(|place| ('0'..='9').map(move |other| (place, other))) {
            let mut wrong: Vec<char> = right.chars().collect();
            wrong[place] = other;
            let wrong: String = wrong.into_iter().collect();
            assert!(wrong == right || parsed(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_of_birth_has_to_exist() {
        assert_eq!(parsed("441802199902300011"), Err(NotAnIdNumber::BirthDate));
        // With valid check digits.
        assert_eq!(with_check_digit("44180200010101001"), Err(NotAnIdNumber::BirthDate));
        assert_eq!(with_check_digit("44180218991231001"), Err(NotAnIdNumber::BirthDate));
        assert!(with_check_digit("44180219000101001").is_ok());
    }

    fn with_check_digit(digits: &str) -> Result<(String, Sex), NotAnIdNumber> {
        parsed(&format!("{digits}{}", char::from(check_digit(digits.as_bytes()))))
    }

    #[test]
    fn retired_and_unknown_places_are_accepted() {
        for place in ["441822", "441824", "441827", "441811", "440101", "442601", "999999"] {
            assert!(with_check_digit(&format!("{place}19800101001")).is_ok(), "{place}");
        }
    }

    #[test]
    fn retired_and_unknown_places_are_told_from_others() {
        for place in
            ["441822", "441824", "441827", "441811", "440125", "440223", "442626", "999999", "100000", "834418"]
        {
            assert!(!is_place_known(&format!("{place}198001010010")), "{place}");
        }
        for place in ["441800", "441802", "441823", "441881", "440301", "441201", "110105", "360426", "820000"] {
            assert!(is_place_known(&format!("{place}198001010010")), "{place}");
        }
    }

    #[test]
    fn another_form_is_refused() {
        for text in ["", "X", "11010519491231002", "11010519491231002Y", "1101051949123100X2", "１１０１０５"] {
            assert_eq!(parsed(text), Err(NotAnIdNumber::Form), "{text}");
        }
    }

    #[test]
    fn a_number_is_found_within_a_text() {
        assert!(is_in("A/11010519491231002X-1") && is_in("360426199101010071"));
        assert!(
            !is_in("2025/000000000000000000") && !is_in("") && !is_in("清远市清新区太平镇沙塘村一二三四五六七八九")
        );
    }

    #[test]
    fn neither_number_nor_error_shows_the_text() {
        assert_eq!(format!("{:?}", IdNumber::parse("360426199101010071").unwrap()), "IdNumber");
        assert_eq!(NotAnIdNumber::CheckDigit.to_string(), "has a wrong check digit");
    }
}
