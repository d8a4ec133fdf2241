//! Numbers that tell by a check digit what they are.

use std::borrow::Cow;

use chrono::NaiveDate;

/// Digits of an ID number (GB 11643).
pub const ID_NUMBER: usize = 18;

/// The check digit X.
pub const X: u8 = 10;

const ID_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const ID_CHECKS: [u8; 11] = [1, 0, X, 9, 8, 7, 6, 5, 4, 3, 2];

/// The alphabet of unified social credit codes (GB 32100).
const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const CREDIT_CODE: usize = 18;

/// 17 digits and the check digit that belongs to them, with a day of birth.
pub fn is_id_number(digits: &[u8]) -> bool {
    let Some((check, own)) = digits.split_last().filter(|_| digits.len() == ID_NUMBER) else { return false };
    if own.iter().any(|digit| *digit > 9) {
        return false;
    }
    let sum: u32 = ID_WEIGHTS.iter().zip(own).map(|(weight, digit)| weight * u32::from(*digit)).sum();
    *check == ID_CHECKS[sum as usize % ID_CHECKS.len()] && is_day(&own[6..14], 1850..2100)
}

/// 15 digits, as they were given out until 1999. Of those born before 1930 nearly nobody has one, and a place with the day of
/// a document looks like it.
pub fn is_old_id_number(digits: &[u8]) -> bool {
    if digits.len() != 15 || !is_province(digits[0] * 10 + digits[1]) {
        return false;
    }
    let born: Vec<u8> = [&[1, 9], &digits[6..12]].concat();
    is_day(&born, 1930..2000)
}

/// 16 to 19 digits, the last of which is the Luhn digit of the others.
pub fn is_account(digits: &[u8]) -> bool {
    if !(16..=19).contains(&digits.len()) || digits.iter().all(|digit| *digit == 0) {
        return false;
    }
    let doubled = |(place, digit): (usize, &u8)| match (place % 2, u32::from(*digit)) {
        (0, digit) => digit,
        (_, digit) => digit * 2 / 10 + digit * 2 % 10,
    };
    digits.iter().rev().enumerate().map(doubled).sum::<u32>().is_multiple_of(10)
}

/// A text with a letter in the place of each UUID, as other systems number their records by: some of the digits of one in a hundred
/// look like a phone. One that has no letter is no UUID that anybody made.
pub fn without_uuids(text: &str) -> Cow<'_, str> {
    let words = text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '-'));
    words.filter(|word| is_uuid(word)).fold(Cow::Borrowed(text), |text, uuid| Cow::Owned(text.replace(uuid, "u")))
}

fn is_uuid(word: &str) -> bool {
    let is_in_place = |(place, byte): (usize, u8)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    word.len() == 36 && word.bytes().enumerate().all(is_in_place) && word.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// A text with a letter in the place of each unified social credit code that is right and no ID number.
pub fn without_credit_codes(text: &str) -> Cow<'_, str> {
    let is_part = |character: char| character.is_ascii_alphanumeric();
    let words = text.split(|character| !is_part(character)).filter(|word| is_credit_code(word));
    words.fold(Cow::Borrowed(text), |text, code| Cow::Owned(text.replace(code, "c")))
}

fn is_credit_code(word: &str) -> bool {
    let values: Option<Vec<usize>> =
        word.bytes().map(|byte| CREDIT_ALPHABET.iter().position(|known| *known == byte)).collect();
    let Some(values) = values.filter(|values| values.len() == CREDIT_CODE) else { return false };
    let own = &values[..CREDIT_CODE - 1];
    let (sum, _) = own.iter().fold((0, 1), |(sum, weight), value| (sum + value * weight, weight * 3 % 31));
    let as_id: Vec<u8> = values.iter().map(|value| u8::try_from(*value).unwrap_or(X)).collect();
    // Where the alphabet has X is not where ID numbers have it.
    let as_id = match as_id.as_slice() {
        [own @ .., _] if word.ends_with('X') => [own, &[X]].concat(),
        _ => as_id,
    };
    (sum + values[CREDIT_CODE - 1]) % 31 == 0 && !is_id_number(&as_id)
}

fn is_province(code: u8) -> bool {
    matches!(code, 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81 | 82)
}

/// Eight digits that are a day.
fn is_day(digits: &[u8], years: std::ops::Range<u32>) -> bool {
    let number = digits.iter().fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    years.contains(&year) && NaiveDate::from_ymd_opt(year.cast_signed(), month, day).is_some()
}
