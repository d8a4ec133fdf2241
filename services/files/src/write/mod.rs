//! Writes files: rows of the contract as CSV or XLSX, templates to fill in, and the rows that were refused.

mod output;
mod rejects;
mod template;

use chrono::NaiveDate;
use prost_reflect::{DynamicMessage, Value};
use tongxin_platform::money::Fen;

use crate::{
    cell::Cell,
    form::{Column, Form, Holds, Loss},
    lang::Lang,
};

pub use output::{Output, WriteError};
pub use rejects::{RejectsError, rejects};
pub use template::template;

impl Form {
    /// A message as the lines of a file, with its words in a language: a cell for each column.
    #[must_use]
    pub fn lines_of<Row: prost::Message>(&self, row: &Row, lang: Lang) -> Vec<Vec<Cell>> {
        let Ok(message) = DynamicMessage::decode(self.message.clone(), row.encode_to_vec().as_slice()) else {
            return Vec::new();
        };
        let Some(field) = &self.lines else { return vec![self.line(&message, &message, lang)] };
        let members = message.get_field(field);
        let members = members.as_list().unwrap_or_default().iter().filter_map(Value::as_message);
        members.map(|member| self.line(&message, member, lang)).collect()
    }

    fn line(&self, row: &DynamicMessage, member: &DynamicMessage, lang: Lang) -> Vec<Cell> {
        let of = |column: &Column| if column.of_line { member } else { row };
        self.columns.iter().map(|column| cell_of(column, of(column), lang)).collect()
    }

    /// The headings of all columns.
    #[must_use]
    pub fn headings(&self, lang: Lang) -> Vec<Cell> {
        self.columns.iter().map(|column| Cell::Text(column.heading(lang).to_owned())).collect()
    }
}

fn cell_of(column: &Column, message: &DynamicMessage, lang: Lang) -> Cell {
    let value = message.get_field(&column.field);
    match &column.holds {
        Holds::Text { .. } => match value.as_str().unwrap_or_default() {
            "" => Cell::Empty,
            text => Cell::Text(text.to_owned()),
        },
        Holds::Word(vocabulary) => match vocabulary.word(value.as_enum_number().unwrap_or_default(), lang) {
            "" => Cell::Empty,
            word => Cell::Text(word.to_owned()),
        },
        Holds::Words(vocabulary) => {
            let numbers = value.as_list().unwrap_or_default().iter().filter_map(Value::as_enum_number);
            let words: Vec<_> = numbers.map(|number| vocabulary.word(number, lang)).collect();
            if words.is_empty() { Cell::Empty } else { Cell::Text(words.join(";")) }
        }
        Holds::Day if message.has_field(&column.field) => {
            value.as_message().and_then(day_of).map_or(Cell::Empty, Cell::Day)
        }
        Holds::Day => Cell::Empty,
        Holds::Truth => {
            let truth = value.as_bool().unwrap_or_default();
            Cell::Text(lang.of(if truth { "1" } else { "0" }, if truth { "是" } else { "否" }).to_owned())
        }
        Holds::Yuan => Cell::Text(Fen::new(value.as_i64().unwrap_or_default()).to_string()),
        Holds::Count => {
            let count = value.as_i32().map(i64::from).or_else(|| value.as_i64()).unwrap_or_default();
            Cell::Text(count.to_string())
        }
        Holds::Losses(parts) => {
            let losses = value.as_list().unwrap_or_default().iter().filter_map(Value::as_message);
            let losses: Vec<_> = losses.map(|loss| loss_of(parts, loss, lang)).collect();
            if losses.is_empty() { Cell::Empty } else { Cell::Text(losses.join(";")) }
        }
    }
}

fn day_of(date: &DynamicMessage) -> Option<NaiveDate> {
    let part = |name| date.get_field_by_name(name).and_then(|value| value.as_i32());
    let (year, month, day) = (part("year")?, part("month")?, part("day")?);
    NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

fn loss_of(parts: &[Loss], loss: &DynamicMessage, lang: Lang) -> String {
    let mut words = Vec::new();
    let mut amount = String::new();
    for part in parts {
        let value = loss.get_field_by_number(part.tag);
        if let Some(vocabulary) = &part.words {
            let number = value.and_then(|value| value.as_enum_number()).unwrap_or_default();
            words.extend(Some(vocabulary.word(number, lang).to_owned()).filter(|word| !word.is_empty()));
        } else {
            let fen = value.and_then(|value| value.as_i64()).unwrap_or_default();
            amount = Fen::new(fen).to_string();
        }
    }
    format!("{}:{amount}", words.join("/"))
}

#[cfg(test)]
mod tests;
