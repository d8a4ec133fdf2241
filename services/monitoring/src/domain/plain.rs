//! What a text that is kept in plain must not hold, because it would say who it is about.

use super::id_number;

/// Digits in a row that stand for an account or a card.
const LONG: usize = 16;

/// Something that says who a text is about. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Telling {
    /// A resident ID number.
    #[error("holds a resident ID number")]
    IdNumber,
    /// A mobile phone's number.
    #[error("holds the number of a mobile phone")]
    Phone,
    /// As many digits in a row as the number of an account has.
    #[error("holds 16 or more digits in a row, as the number of an account does")]
    LongNumber,
}

/// The first thing in a text that says who it is about.
#[must_use]
pub fn telling(text: &str) -> Option<Telling> {
    if id_number::is_in(text) {
        return Some(Telling::IdNumber);
    }
    let numbers = text.split(|character: char| !character.is_ascii_digit());
    numbers.into_iter().find_map(|number| match number {
        long if long.len() >= LONG => Some(Telling::LongNumber),
        phone if is_phone(phone.strip_prefix("86").unwrap_or(phone)) || is_phone(phone) => Some(Telling::Phone),
        _ => None,
    })
}

fn is_phone(number: &str) -> bool {
    matches!(number.as_bytes(), [b'1', b'3'..=b'9', rest @ ..] if rest.len() == 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_a_text_is_about_is_found() {
        for (text, found) in [
            ("身份证11010519491231002X", Telling::IdNumber),
            ("电话13977665544。", Telling::Phone),
            ("13977665544", Telling::Phone),
            ("+8613977665544", Telling::Phone),
            ("13800000000-1", Telling::Phone),
            ("卡号6217997777000055443", Telling::LongNumber),
            ("1234567890123456", Telling::LongNumber),
        ] {
            assert_eq!(telling(text), Some(found), "{text}");
        }
    }

    #[test]
    fn other_numbers_say_nothing() {
        for text in [
            "",
            "危房改造补助20000元",
            "12977665544",
            "1397766554",
            "139776655440",
            "441823107201",
            "123456789012345",
            "2025-06-30 13:55",
        ] {
            assert_eq!(telling(text), None, "{text}");
        }
    }
}
