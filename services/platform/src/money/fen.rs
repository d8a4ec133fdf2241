//! Amounts of money, parsed and displayed in yuan.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Error;

/// An amount in fen (0.01 yuan); negative for reversals. Displayed in yuan, stored in fen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fen(i64);

impl Fen {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// An amount of this many fen.
    #[must_use]
    pub const fn new(fen: i64) -> Self {
        Self(fen)
    }

    /// The number of fen.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Parses yuan with at most two decimals, for example `480000.25` or `-3`. No spaces, no plus sign, no thousands
    /// separators, no exponent.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::NotANumber`], [`Error::TooManyDecimals`] or [`Error::Overflow`].
    pub fn from_yuan(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::Empty);
        }
        let (sign, number) = text.strip_prefix('-').map_or(("", text), |number| ("-", number));
        let (yuan, decimals) = number.split_once('.').unwrap_or((number, "0"));
        if !is_digits(yuan) || !is_digits(decimals) {
            return Err(Error::NotANumber);
        }
        if decimals.len() > 2 {
            return Err(Error::TooManyDecimals);
        }
        // All digits, so parsing can fail only because of the size.
        format!("{sign}{yuan}{decimals:0<2}").parse().map(Self).map_err(|_| Error::Overflow)
    }

    /// The sum.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, Error> {
        self.0.checked_add(other.0).map(Self).ok_or(Error::Overflow)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, Error> {
        self.0.checked_sub(other.0).map(Self).ok_or(Error::Overflow)
    }

    /// The amount that reverses this one.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn checked_neg(self) -> Result<Self, Error> {
        self.0.checked_neg().map(Self).ok_or(Error::Overflow)
    }

    /// The sum of all. Only the result has to fit, whatever the order.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, Error> {
        let sum = amounts.into_iter().map(|amount| i128::from(amount.0)).sum();
        Self::from_wide(sum)
    }

    pub(super) fn from_wide(fen: i128) -> Result<Self, Error> {
        i64::try_from(fen).map(Self).map_err(|_| Error::Overflow)
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        f.pad(&format!("{sign}{}.{:02}", fen / 100, fen % 100))
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn yuan(text: &str) -> Fen {
        Fen::from_yuan(text).unwrap()
    }

    #[test]
    fn yuan_become_fen_exactly() {
        let cases = [
            ("480000.25", 48_000_025),
            ("0.1", 10),
            ("0.01", 1),
            ("007", 700),
            ("-3", -300),
            ("-0.05", -5),
            ("-0", 0),
            ("92233720368547758.07", i64::MAX),
            ("-92233720368547758.08", i64::MIN),
        ];
        for (text, fen) in cases {
            assert_eq!(Fen::from_yuan(text), Ok(Fen(fen)), "{text}");
        }
    }

    #[test]
    fn what_is_not_exactly_an_amount_is_refused() {
        assert_eq!(Fen::from_yuan(""), Err(Error::Empty));
        for text in ["0.001", "1.000", "-2.345"] {
            assert_eq!(Fen::from_yuan(text), Err(Error::TooManyDecimals), "{text}");
        }
        for text in ["92233720368547758.08", "-92233720368547758.09", &"9".repeat(400)] {
            assert_eq!(Fen::from_yuan(text), Err(Error::Overflow), "{text}");
        }
        let garbage = [
            "480,000.25",
            "480 000",
            " 1",
            "1 ",
            "1\n",
            "+1",
            "--1",
            "-",
            ".",
            ".5",
            "5.",
            "1.2.3",
            "1.-5",
            "1e3",
            "0x10",
            "１２",
            "一万",
            "NaN",
            "inf",
            "¥5",
            "-.5",
            "1,5",
            "1_000",
        ];
        for text in garbage {
            assert_eq!(Fen::from_yuan(text), Err(Error::NotANumber), "{text}");
        }
    }

    #[test]
    fn an_amount_is_shown_in_yuan_with_two_decimals() {
        assert_eq!(Fen(48_000_025).to_string(), "480000.25");
        assert_eq!(Fen(-5).to_string(), "-0.05");
        assert_eq!(Fen::ZERO.to_string(), "0.00");
        assert_eq!(Fen(i64::MIN).to_string(), "-92233720368547758.08");
        assert_eq!(format!("{:>8}", Fen(150)), "    1.50");
    }

    #[test]
    fn overflow_is_an_error() {
        let (max, min, one) = (Fen(i64::MAX), Fen(i64::MIN), Fen(1));
        assert_eq!(max.checked_add(one), Err(Error::Overflow));
        assert_eq!(min.checked_sub(one), Err(Error::Overflow));
        assert_eq!(min.checked_neg(), Err(Error::Overflow));
        assert_eq!(Fen::checked_sum([max, one]), Err(Error::Overflow));
        assert_eq!(Fen::checked_sum([max, one, Fen(-1)]), Ok(max));
    }

    #[test]
    fn an_amount_travels_as_whole_fen() {
        assert_eq!(serde_json::to_string(&yuan("480000.25")).unwrap(), "48000025");
        assert_eq!(serde_json::from_str::<Fen>("-5").unwrap(), Fen(-5));
        for text in ["1.0", "1e2", r#""1""#, "null", "9223372036854775808"] {
            assert!(serde_json::from_str::<Fen>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read(fen: i64) {
            prop_assert_eq!(Fen::from_yuan(&Fen(fen).to_string()), Ok(Fen(fen)));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[-0-9.]{0,25}|.*") {
            if let Ok(amount) = Fen::from_yuan(&text) {
                prop_assert_eq!(Fen::from_yuan(&amount.to_string()), Ok(amount));
            }
        }

        #[test]
        fn what_is_added_can_be_taken_away(a: i64, b: i64) {
            if let Ok(sum) = Fen(a).checked_add(Fen(b)) {
                prop_assert_eq!(sum.checked_sub(Fen(b)), Ok(Fen(a)));
                prop_assert_eq!(Fen::checked_sum([Fen(a), Fen(b)]), Ok(sum));
            }
        }
    }
}
