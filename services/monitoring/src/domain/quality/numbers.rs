//! Numbers of accounts and persons, as spreadsheets and typing errors spoil them.

use secrecy::ExposeSecret as _;

use crate::domain::{household::Household, member::Member};

/// Digits of a number that a spreadsheet keeps; it makes zeros of the others.
const DIGITS_KEPT: usize = 15;

/// How a longer number ends that a spreadsheet has cut.
const CUT: &str = "000";

/// Lengths of the numbers of cards, whose last digit is a check digit (ISO/IEC 7812).
const CARD: std::ops::RangeInclusive<usize> = 16..=19;

/// What looks wrong with numbers that are sealed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// The bank account ends as if a spreadsheet had cut it.
    pub account_cut: bool,
    /// The bank account is as long as a card's, with a wrong check digit.
    pub account_mistyped: bool,
    /// An ID number ends as if a spreadsheet had cut it, and its check digit is right by chance.
    pub id_number_cut: bool,
}

impl Numbers {
    /// Those of a household and its present members.
    pub(super) fn of(household: &Household) -> Self {
        let account = household.contact.bank_account.expose_secret();
        Self {
            account_cut: is_cut(account),
            account_mistyped: CARD.contains(&account.len()) && !passes_luhn(account),
            id_number_cut: household.present().any(has_cut_id_number),
        }
    }
}

pub(super) fn has_cut_id_number(member: &Member) -> bool {
    is_cut(member.personal.id_number.expose_secret())
}

/// Whether a number ends as if a spreadsheet had cut it.
fn is_cut(number: &str) -> bool {
    number.len() > DIGITS_KEPT && number.ends_with(CUT)
}

/// Whether the check digit of a number is right (Luhn).
fn passes_luhn(number: &str) -> bool {
    let weighted = |(place, digit): (usize, u8)| {
        let digit = u32::from(digit.wrapping_sub(b'0'));
        // Each second digit from the right counts twice, as the sum of its digits.
        if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
    };
    number.bytes().rev().enumerate().map(weighted).sum::<u32>() % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_keeps_fifteen_digits() {
        assert!(is_cut("6217003320000120000") && is_cut("441823199001029000") && is_cut("6217003320001000"));
        assert!(!is_cut("621700332001000") && !is_cut("6217003320000123400") && !is_cut(""));
    }

    #[test]
    fn a_card_has_a_check_digit() {
        for number in ["6217003320000123458", "4111111111111111", "6228480402564890018"] {
            assert!(passes_luhn(number), "{number}");
        }
        for number in ["6217003320000123456", "4111111111111112", "6217003320000120000"] {
            assert!(!passes_luhn(number), "{number}");
        }
    }
}
