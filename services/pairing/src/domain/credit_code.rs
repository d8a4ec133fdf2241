//! Unified social credit codes (GB 32100-2015).

/// 31 characters: no I, O, S, V, Z.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// A unified social credit code, and whether its check digit is right.
///
/// Codes with a wrong check digit are in real use, so such a code is flagged, not refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CreditCode {
    text: String,
    is_valid: bool,
}

tongxin_platform::column!(CreditCode as &str, CreditCode::as_str, CreditCode::parse);

/// Text that is no credit code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a unified social credit code: 18 of 0-9 and A-Z without I, O, S, V, Z are needed")]
pub struct NotACreditCode(String);

impl CreditCode {
    /// Parses 18 characters of the standard's alphabet.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, NotACreditCode> {
        let values: Option<Vec<usize>> = text.bytes().map(value).collect();
        match values {
            Some(values) if values.len() == 18 => Ok(Self { text: text.to_owned(), is_valid: check(&values) }),
            _ => Err(NotACreditCode(text.to_owned())),
        }
    }

    /// The 18 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the check digit is right.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.is_valid
    }
}

fn value(byte: u8) -> Option<usize> {
    ALPHABET.iter().position(|character| *character == byte)
}

/// The weights are 3^(i-1) modulo 31; all 18 weighted values add up to a multiple of 31.
fn check(values: &[usize]) -> bool {
    let mut weight = 1;
    let mut sum = 0;
    for value in &values[..17] {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    (31 - sum % 31) % 31 == values[17]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_codes_pass() {
        for text in ["91110000600037341L", "12100000400009880K", "N2441802MF12345676", "54441802MF1234567H"] {
            assert!(CreditCode::parse(text).unwrap().is_valid(), "{text}");
        }
    }

    #[test]
    fn a_wrong_check_digit_is_flagged_and_kept() {
        let code = CreditCode::parse("91350211M0000XUF46").unwrap();
        assert!(!code.is_valid());
        assert_eq!(code.as_str(), "91350211M0000XUF46");
    }

    #[test]
    fn letters_outside_the_alphabet_and_wrong_lengths_are_no_codes() {
        for text in ["", "91110000600037341", "91110000600037341LL", "9111000060003734IL", "91110000600037341l"] {
            assert!(CreditCode::parse(text).is_err(), "{text}");
        }
    }
}
