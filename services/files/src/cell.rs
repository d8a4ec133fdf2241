//! A cell as a value of the contract. Values are written as the wire format of protobuf has them: a row of the contract
//! is then decoded like any other message.

use chrono::NaiveDate;
use prost::{bytes::BufMut as _, encoding};
use tongxin_platform::money::Fen;
use tongxin_proto::{
    Date, read_day,
    text::{control_character_in_lines, tidy, tidy_code},
};

use crate::{
    fault::Found,
    form::{Column, Holds, Loss, Vocabulary},
};

/// Characters that stand between several words of a cell.
const BETWEEN: [char; 6] = [';', '；', '、', ',', '，', '|'];

/// The first whole number that some spreadsheet does not keep digit for digit.
const TOO_LONG_A_NUMBER: f64 = 1e15;

/// The most characters of a cell.
const LONGEST: usize = 32_767;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// A text.
    Text(String),
    /// A number, as it is stored.
    Number(f64),
    /// A date.
    Day(NaiveDate),
    /// Yes or no.
    Truth(bool),
    /// A formula that failed.
    Failed,
    /// A formula whose result is not stored.
    NoResult,
}

impl Cell {
    /// Whether it has no content: invisible characters are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => tidy(text).is_empty(),
            _ => false,
        }
    }

    /// As a text, for headings.
    pub(crate) fn heading(&self) -> String {
        match self {
            Self::Text(text) => tidy(text).split_whitespace().collect::<Vec<_>>().join(" "),
            Self::Number(number) => number.to_string(),
            Self::Day(day) => day.to_string(),
            _ => String::new(),
        }
    }

    /// Its text for a column of several parts: they may stand in lines of their own.
    fn parts(&self) -> Result<String, Found> {
        match self {
            Self::Text(text) => Self::Text(text.replace(['\r', '\n'], ";")).text(false),
            cell => cell.text(false),
        }
    }

    /// Its text for a column.
    fn text(&self, is_number: bool) -> Result<String, Found> {
        match self {
            Self::Empty => Ok(String::new()),
            Self::Text(text) => {
                let text = if is_number { tidy_code(text) } else { tidy(text) };
                if let Some(character) = control_character_in_lines(&text) {
                    return Err(Found::Control(character));
                }
                if text.len() > LONGEST && text.chars().count() > LONGEST {
                    return Err(Found::TooLong);
                }
                let text = as_text(&text);
                if is_number && is_changed(text) {
                    return Err(Found::Changed);
                }
                // Line breaks within a cell are how people fold long texts.
                Ok(if text.contains(char::is_control) { folded(text) } else { text.to_owned() })
            }
            Self::Number(number) if number.fract() == 0.0 && number.abs() < TOO_LONG_A_NUMBER => {
                Ok(format!("{number:.0}"))
            }
            Self::Number(number) if is_number || number.abs() >= TOO_LONG_A_NUMBER => Err(Found::Changed),
            Self::Number(number) => Ok(number.to_string()),
            Self::Day(_) => Err(Found::IsDay),
            Self::Truth(truth) => Ok(if *truth { "TRUE" } else { "FALSE" }.to_owned()),
            Self::Failed => Err(Found::Failed),
            Self::NoResult => Err(Found::NoResult),
        }
    }
}

/// The text of a cell without what programs put around it for spreadsheets: `="0123"` keeps a number as it is, an
/// apostrophe keeps a text from being run as a formula.
fn as_text(text: &str) -> &str {
    if let Some(text) = text.strip_prefix("=\"").and_then(|text| text.strip_suffix('"')) {
        return text;
    }
    text.strip_prefix('\'').filter(|text| begins_formula(text)).unwrap_or(text)
}

/// Whether a spreadsheet would take a text for a formula. Amounts below zero are numbers.
pub(crate) fn begins_formula(text: &str) -> bool {
    let is_amount = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.starts_with(['=', '+', '@', '＝', '＋', '－', '＠', '\t', '\r'])
        || text.strip_prefix('-').is_some_and(|rest| !is_amount(rest))
}

/// The lines of a text as one: with a space between words, and without one between Chinese characters.
fn folded(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    for part in text.split(char::is_control).map(str::trim).filter(|part| !part.is_empty()) {
        if whole.ends_with(|end: char| end.is_ascii()) && part.is_ascii() {
            whole.push(' ');
        }
        whole.push_str(part);
    }
    whole
}

/// Whether a spreadsheet made something else of a number that is a text: `4.41823E+17`, `'4418`, `4418.0`.
fn is_changed(text: &str) -> bool {
    let is_numeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if text.starts_with(['\'', '’', '‘']) {
        return true;
    }
    if let Some((number, exponent)) = text.split_once(['e', 'E'])
        && (exponent.starts_with('+') || number.contains('.'))
    {
        return is_numeric(number) && is_numeric(exponent.trim_start_matches('+'));
    }
    is_numeric(text) && text.contains('.')
}

/// Writes the value of a cell for a column as a field of its message; nothing if the cell is empty.
pub(crate) fn write(column: &Column, cell: &Cell, out: &mut Vec<u8>) -> Result<(), Found> {
    let tag = column.field.number();
    match &column.holds {
        Holds::Text { number } => {
            let text = cell.text(*number)?;
            if !text.is_empty() {
                encoding::string::encode(tag, &text, out);
            }
        }
        Holds::Word(vocabulary) => {
            let text = cell.text(false)?;
            if !text.is_empty() {
                encoding::int32::encode(tag, &number_of(vocabulary, &text)?, out);
            }
        }
        Holds::Words(vocabulary) => {
            let text = cell.parts()?;
            let words = text.split(BETWEEN).map(str::trim).filter(|word| !word.is_empty());
            let numbers = words.map(|word| number_of(vocabulary, word)).collect::<Result<Vec<_>, _>>()?;
            encoding::int32::encode_packed(tag, &numbers, out);
        }
        Holds::Day => {
            if let Some(day) = day_of(cell)? {
                encoding::message::encode(tag, &Date::from(day), out);
            }
        }
        Holds::Truth => {
            let truth = truth_of(cell)?;
            if truth.is_none() && !column.optional {
                return Err(Found::NeedsValue);
            }
            if truth == Some(true) {
                encoding::bool::encode(tag, &true, out);
            }
        }
        Holds::Yuan => {
            let fen = fen_of(cell)?;
            if fen != 0 {
                encoding::int64::encode(tag, &fen, out);
            }
        }
        Holds::Count => {
            let count = count_of(cell)?;
            if count != 0 {
                encoding::int32::encode(tag, &count, out);
            }
        }
        Holds::Losses(parts) => {
            let text = cell.parts()?;
            for loss in text.split([';', '；']).map(str::trim).filter(|loss| !loss.is_empty()) {
                let loss = loss_of(parts, loss)?;
                encoding::encode_key(tag, encoding::WireType::LengthDelimited, out);
                encoding::encode_varint(loss.len() as u64, out);
                out.put_slice(&loss);
            }
        }
    }
    Ok(())
}

fn number_of(vocabulary: &Vocabulary, word: &str) -> Result<i32, Found> {
    vocabulary.number(word).ok_or_else(|| Found::NotAWord { words: vocabulary.pairs() })
}

fn day_of(cell: &Cell) -> Result<Option<NaiveDate>, Found> {
    match cell {
        Cell::Day(day) => Ok(Some(*day)),
        Cell::Number(_) => Err(Found::IsNumber),
        cell => match cell.text(false)?.as_str() {
            "" => Ok(None),
            text => read_day(text).map(Some).map_err(|_| Found::NotADay),
        },
    }
}

fn truth_of(cell: &Cell) -> Result<Option<bool>, Found> {
    if let Cell::Truth(truth) = cell {
        return Ok(Some(*truth));
    }
    Ok(match cell.text(false)?.to_lowercase().as_str() {
        "" => None,
        "1" | "true" | "yes" | "y" | "是" | "有" | "√" => Some(true),
        "0" | "false" | "no" | "n" | "否" | "无" | "×" => Some(false),
        _ => return Err(Found::NotATruth),
    })
}

/// An amount in fen; an empty cell is 0.
fn fen_of(cell: &Cell) -> Result<i64, Found> {
    match cell {
        Cell::Number(yuan) => {
            let fen = yuan * 100.0;
            let whole = fen.round();
            // A sum of amounts in yuan misses a whole fen by a rounding error.
            let is_whole = (fen - whole).abs() <= 1e-6 + whole.abs() * 1e-12;
            // Below this, a float holds whole fen, and a yuan with two decimals.
            if !is_whole || whole.abs() >= TOO_LONG_A_NUMBER {
                return Err(Found::NotYuan);
            }
            format!("{whole:.0}").parse().map_err(|_| Found::NotYuan)
        }
        cell => yuan(&cell.text(false)?),
    }
}

fn yuan(text: &str) -> Result<i64, Found> {
    let text = text.trim_start_matches(['¥', '￥']).trim_end_matches('元').trim();
    if text.is_empty() {
        return Ok(0);
    }
    let plain = without_separators(text).ok_or(Found::NotYuan)?;
    Fen::from_yuan(&plain).map(Fen::get).map_err(|_| Found::NotYuan)
}

/// `1,234,567.5` as `1234567.5`; nothing if commas stand anywhere else.
fn without_separators(text: &str) -> Option<String> {
    if !text.contains([',', '，']) {
        return Some(text.to_owned());
    }
    let (whole, decimals) = text.split_once('.').map_or((text, None), |(whole, decimals)| (whole, Some(decimals)));
    let groups: Vec<_> = whole.split([',', '，']).collect();
    let first = groups.first()?.trim_start_matches('-');
    let is_grouped = (1..=3).contains(&first.len()) && first != "0" && groups[1..].iter().all(|group| group.len() == 3);
    is_grouped.then(|| groups.concat() + &decimals.map(|decimals| format!(".{decimals}")).unwrap_or_default())
}

fn count_of(cell: &Cell) -> Result<i32, Found> {
    match cell {
        Cell::Number(number) if number.fract() != 0.0 => Err(Found::NotACount),
        cell => match cell.text(false)?.as_str() {
            "" => Ok(0),
            text => text.parse().map_err(|_| Found::NotACount),
        },
    }
}

/// `natural_disaster/flood:15000` as a message: words between `/`, then an amount after `:`.
fn loss_of(parts: &[Loss], text: &str) -> Result<Vec<u8>, Found> {
    let (words, amount) = text.split_once([':', '：']).ok_or(Found::NotALoss)?;
    let mut words = words.split('/').map(str::trim);
    let mut out = Vec::new();
    for part in parts {
        match &part.words {
            Some(vocabulary) => {
                if let Some(word) = words.next() {
                    encoding::int32::encode(part.tag, &number_of(vocabulary, word)?, &mut out);
                }
            }
            None => encoding::int64::encode(part.tag, &yuan(amount.trim())?, &mut out),
        }
    }
    if words.next().is_some() {
        return Err(Found::NotALoss);
    }
    Ok(out)
}

/// The text of a cell by which lines are put together, also if the column does not take it.
pub(crate) fn key_text(column: &Column, cell: &Cell) -> String {
    cell.text(column.is_number()).unwrap_or_else(|_| format!("{cell:?}"))
}

/// Decodes a row.
pub(crate) fn decode<Row: prost::Message + Default>(bytes: &[u8]) -> Result<Row, Found> {
    Row::decode(bytes).map_err(|error| Found::Rule(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_made_of_a_number_is_found() {
        for changed in ["4.41823E+17", "6.217E+18", "4.4e12", "1E+10", "'441823199007099990", "4418239990210.0", "44."]
        {
            assert!(is_changed(changed), "{changed}");
        }
        for number in ["441823199007099990", "11010519491231002X", "91440101MA5XQE7M2E", "1E10", ""] {
            assert!(!is_changed(number), "{number}");
        }
        assert_eq!(Cell::Number(441_823_107_200.0).text(true), Ok("441823107200".to_owned()));
        assert_eq!(Cell::Number(4.418_231_990_07e17).text(true), Err(Found::Changed));
        assert_eq!(Cell::Text("=\"0123\"".to_owned()).text(true), Ok("0123".to_owned()));
        assert_eq!(Cell::Text("3组\n12号".to_owned()).text(false), Ok("3组12号".to_owned()));
        assert_eq!(Cell::Text("No. 3\r\nSouth".to_owned()).text(false), Ok("No. 3 South".to_owned()));
    }

    #[test]
    fn amounts_are_yuan_with_separators_or_without() {
        for (text, fen) in [
            ("20000.5", 2_000_050),
            ("20,000.50", 2_000_050),
            ("1,234,567", 123_456_700),
            ("-3", -300),
            ("¥8,600元", 860_000),
            ("", 0),
        ] {
            assert_eq!(fen_of(&Cell::Text(text.to_owned())), Ok(fen), "{text}");
        }
        for text in ["1e3", "2,00", "1,2345", "0.001", "8600,50", "0,123", "abc"] {
            assert_eq!(fen_of(&Cell::Text(text.to_owned())), Err(Found::NotYuan), "{text}");
        }
        assert_eq!(fen_of(&Cell::Number(0.1 + 0.2)), Ok(30));
        assert_eq!(fen_of(&Cell::Number(8600.505)), Err(Found::NotYuan));
        assert_eq!(fen_of(&Cell::Number(6_000_000.004)), Err(Found::NotYuan));
        assert_eq!(fen_of(&Cell::Number(123_456_789.12)), Ok(12_345_678_912));
        assert_eq!(fen_of(&Cell::Number(1e14)), Err(Found::NotYuan));
    }

    #[test]
    fn yes_and_no_have_many_words() {
        for (text, truth) in
            [("是", Some(true)), ("0", Some(false)), ("TRUE", Some(true)), ("否", Some(false)), ("", None)]
        {
            assert_eq!(truth_of(&Cell::Text(text.to_owned())), Ok(truth), "{text}");
        }
        assert_eq!(truth_of(&Cell::Number(1.0)), Ok(Some(true)));
        assert_eq!(truth_of(&Cell::Text("maybe".to_owned())), Err(Found::NotATruth));
    }
}
