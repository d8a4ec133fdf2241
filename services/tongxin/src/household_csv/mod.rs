//! Files with households, and with observations.
//!
//! | file | |
//! |---|---|
//! | `households`   | one line per member; the lines of a household are consecutive |
//! | `observations` | one line per household and window |

mod households;
mod observations;
#[cfg(test)]
mod tests;

use tongxin_platform::money::Fen;
use tongxin_proto::{Date, read_day, text::tidy, words::Word};

use crate::csv_file::{CsvError, Record};

pub use households::HouseholdRows;
pub use observations::ObservationRows;

/// A household or an observation of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<Draft> {
    /// Number of its first line.
    pub line: u64,
    pub draft: Draft,
}

fn word<W: Word>(row: &Record, column: &'static str) -> Result<i32, CsvError> {
    W::named(row.text(column)).map(Into::into).map_err(|what| row.wrong(Some(column), what))
}

/// Several words, separated by `;`.
fn words<W: Word>(row: &Record, column: &'static str) -> Result<Vec<i32>, CsvError> {
    let words = row.text(column).split(';').map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| W::named(word).map(Into::into).map_err(|what| row.wrong(Some(column), what))).collect()
}

fn truth(row: &Record, column: &'static str) -> Result<bool, CsvError> {
    match row.text(column) {
        "0" => Ok(false),
        "1" => Ok(true),
        text => Err(row.wrong(Some(column), format!("is {text:?}: 0 or 1 is needed"))),
    }
}

fn day(row: &Record, column: &'static str) -> Result<Option<Date>, CsvError> {
    match row.text(column) {
        "" => Ok(None),
        text => match read_day(&tidy(text)) {
            Ok(day) => Ok(Some(day.into())),
            Err(error) => Err(row.wrong(Some(column), format!("is {text:?}: {error}"))),
        },
    }
}

/// Converts yuan to fen; empty is 0.
fn amount(row: &Record, column: &'static str) -> Result<i64, CsvError> {
    yuan(row.text(column)).map_err(|what| row.wrong(Some(column), what))
}

fn yuan(text: &str) -> Result<i64, String> {
    if text.is_empty() {
        return Ok(0);
    }
    let read = Fen::from_yuan(text).map(Fen::get);
    read.map_err(|error| format!("{text:?} is no amount in yuan such as 8600.50: {error}"))
}
