//! Register files: CSV with the columns `code,name,level,parent_code,assisted`.

use std::io::BufRead;

use tongxin_proto::{pairing::v1::RegionRow, register::v1::RegionLevel, words::Word as _};

use crate::csv_file::{Columns, CsvError, CsvRows, Record};

/// Names have at most 100 characters.
const COLUMNS: Columns =
    Columns { needed: &["code", "name", "level", "parent_code", "assisted"], optional: &[], longest_line: 2_000 };

/// The rows of a register file. Yields no more after an error.
pub struct RegisterRows<R> {
    rows: CsvRows<R>,
    ended: bool,
}

impl<R: BufRead> RegisterRows<R> {
    /// Reads the header.
    pub fn open(input: R) -> Result<Self, CsvError> {
        Ok(Self { rows: CsvRows::open(input, COLUMNS)?, ended: false })
    }

    fn read(&mut self) -> Result<Option<RegionRow>, CsvError> {
        let Some(row) = self.rows.next_row()? else { return Ok(None) };
        Ok(Some(RegionRow {
            code: row.text("code").to_owned(),
            name: row.text("name").to_owned(),
            level: level(&row)?.into(),
            parent_code: row.text("parent_code").to_owned(),
            assisted: is_assisted(&row)?,
        }))
    }
}

fn level(row: &Record) -> Result<RegionLevel, CsvError> {
    RegionLevel::named(row.text("level")).map_err(|what| row.wrong(Some("level"), what))
}

fn is_assisted(row: &Record) -> Result<bool, CsvError> {
    match row.text("assisted") {
        "0" => Ok(false),
        "1" => Ok(true),
        text => Err(row.wrong(Some("assisted"), format!("is {text:?}: 0 or 1 is needed"))),
    }
}

impl<R: BufRead> Iterator for RegisterRows<R> {
    type Item = Result<RegionRow, CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = self.read().transpose();
        self.ended = !matches!(read, Some(Ok(_)));
        read
    }
}

#[cfg(test)]
mod tests;
