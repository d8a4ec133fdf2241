//! What a text that is kept in plain must not hold, because it would say who it is about.
//!
//! Digits are read in runs. A run ends at anything but a digit, and where the script changes. Runs with no letter
//! between them make a chain: spaces, dashes, dots, slashes and whatever else is no letter may stand between the parts of one
//! number. A number is made of one run or of some that follow each other, always of whole ones: what lies within a longer run
//! is part of another number. A date (`2025-06-30`, with a time or without) is never cut in two. What makes a number:
//!
//! | | |
//! |---|---|
//! | mobile phone | 11 digits that begin with 13 to 19, also after 0, 86 or 0086 |
//! | ID number | 17 digits and the right check digit, with a day of birth; within a longer run, too |
//! | ID number of the old form | 15 digits with a province and a day of birth from 1930 to 1999, without a date beside it |
//! | card or account | 16 to 19 digits with the right Luhn digit, without a date beside it |
//!
//! Unified social credit codes with the right check digit are none of these, even where they are all digits, nor are UUIDs.
//! What is refused without reason: of single runs of 11 random digits 7 in 100, of 15 one, of 16 to 19 ten; document numbers of the usual
//! forms hardly ever (a test counts them).

mod chain;
mod codes;
mod digits;
#[cfg(test)]
mod tests;

use chain::{Chain, chains};

/// Something that says who a text is about. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Telling {
    /// A resident ID number.
    #[error("holds a resident ID number")]
    IdNumber,
    /// A mobile phone's number.
    #[error("holds the number of a mobile phone")]
    Phone,
    /// The number of a card or an account.
    #[error("holds the number of a card or an account")]
    Account,
}

/// The first thing in a text that says who it is about.
#[must_use]
pub fn telling(text: &str) -> Option<Telling> {
    let text = codes::without_uuids(text);
    chains(&codes::without_credit_codes(&text)).iter().find_map(in_chain)
}

fn in_chain(chain: &Chain) -> Option<Telling> {
    if chain.runs().any(has_id_number) {
        return Some(Telling::IdNumber);
    }
    for number in chain.numbers() {
        let dated = number.has_date;
        match number.digits {
            digits if is_id_number(digits, number.has_x) => return Some(Telling::IdNumber),
            digits if is_phone(digits) => return Some(Telling::Phone),
            digits if !dated && codes::is_old_id_number(digits) => return Some(Telling::IdNumber),
            digits if !dated && codes::is_account(digits) => return Some(Telling::Account),
            _ => {}
        }
    }
    None
}

fn has_id_number((run, has_x): (&[u8], bool)) -> bool {
    let ending = run.len().checked_sub(codes::ID_NUMBER - 1).map(|from| &run[from..]);
    run.windows(codes::ID_NUMBER).any(codes::is_id_number) || ending.is_some_and(|ending| is_id_number(ending, has_x))
}

fn is_id_number(digits: &[u8], has_x: bool) -> bool {
    codes::is_id_number(digits) || (has_x && codes::is_id_number(&[digits, &[codes::X]].concat()))
}

/// As it is dialled at home and from abroad.
fn is_phone(digits: &[u8]) -> bool {
    let own = match digits {
        [0, 0, 8, 6, own @ ..] | [8, 6, own @ ..] | [0, own @ ..] if own.len() == 11 => own,
        own => own,
    };
    matches!(own, [1, 3..=9, rest @ ..] if rest.len() == 9)
}
