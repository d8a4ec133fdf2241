//! Refused rows of a batch, and warnings: as short as an answer needs that names a thousand of them.

use crate::batch::v1::{RowError, RuleWarning};

/// Bytes of the field of a refused row.
const FIELD: usize = 80;

/// Bytes of the text of one. An answer with 100,000 identifiers and 1,000 refused rows fits into a message of 4 MiB.
const TEXT: usize = 240;

/// What stands where a text was cut.
const CUT: &str = "...";

impl RowError {
    /// A row, numbered from 1, that was refused for a reason. The field and the text are cut where they are long.
    #[must_use]
    pub fn new(row: i64, reason: &str, field: &str, text: &str) -> Self {
        Self { row, reason: reason.to_owned(), field: cut(field, FIELD), message: cut(text, TEXT), refused_time: None }
    }
}

impl RuleWarning {
    /// A warning about no field in particular.
    #[must_use]
    pub const fn of(rule: i32) -> Self {
        Self { rule, field: String::new() }
    }
}

/// So many bytes of a text at most, cut between characters.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most - CUT.len());
    format!("{}{CUT}", &text[..end])
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::{batch::v1::Outcome, pairing::v1::BatchEstablishPairingsResponse};

    #[test]
    fn a_text_is_cut_between_characters() {
        for (text, most, short) in
            [("太平村", 9, "太平村"), ("太平村", 8, "太..."), ("abcdef", 5, "ab..."), ("abc", 3, "abc"), ("", 0, "")]
        {
            assert_eq!(cut(text, most), short);
        }
    }

    #[test]
    fn the_largest_answer_to_a_batch_fits_into_a_message() {
        let worst = |row| RowError::new(row, &"R".repeat(30), &"字".repeat(5_000), &"字".repeat(5_000));
        let accepted = 99_000;
        let mut ids = vec!["0190a0b2-7f3e-7000-8000-000000000001".to_owned(); accepted];
        ids.extend(vec![String::new(); 1_000]);
        let errors = (99_001..=100_000).map(worst).collect();
        let outcome = Outcome { accepted: 99_000, refused: 1_000, errors, ids, ..Outcome::default() };
        let answer = BatchEstablishPairingsResponse { outcome: Some(outcome) };
        assert!(answer.encoded_len() < 4 << 20, "{}", answer.encoded_len());
    }
}
