//! Reads files: CSV and XLSX as lines of cells, and these as rows of the contract.

mod csv;
mod decode;
mod guard;
mod header;
mod rows;
mod twice;
mod xlsx;

use std::{
    fs::File,
    io::{ErrorKind, Read, Seek},
    ops::ControlFlow,
    path::Path,
    sync::Arc,
};

use crate::{
    cell::Cell,
    fault::{Fault, Found, Place},
    form::Form,
};

pub use rows::{Columns, Row, RowRead, read};

/// How a file is to be read.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The sheet; the first visible one if not stated.
    pub sheet: Option<String>,
    /// Whether columns that nothing is known of are left out instead of refused.
    pub ignore_unknown: bool,
}

/// A line of a file: a record of a CSV file, or a row of a sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Where it begins.
    pub place: Place,
    /// Its cells. Those after the last may be missing.
    pub cells: Vec<Cell>,
    /// Whether cells at its end that are empty may be missing, as in a sheet.
    pub(crate) may_lack_cells: bool,
    /// Regions that are merged and begin in this line: the column, the last column, the last line.
    pub(crate) merged: Vec<(usize, usize, u64)>,
}

impl Line {
    /// The cell of a column.
    #[must_use]
    pub fn cell(&self, column: usize) -> &Cell {
        const EMPTY: &Cell = &Cell::Empty;
        self.cells.get(column).unwrap_or(EMPTY)
    }

    /// Whether no cell has content.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(Cell::is_empty)
    }
}

/// What is handed each line, or what is wrong with one.
type Visit<'visit> = dyn FnMut(Result<Line, Fault>) -> ControlFlow<()> + 'visit;

/// Hands each line of a file to `visit`, from the first, empty ones too. Memory does not depend on the size of the file.
///
/// `form` is whose headings tell which character separates the fields of a CSV file.
///
/// # Errors
/// If the file cannot be read on: a fault of all of it.
pub fn lines(mut file: impl Read + Seek, form: &Form, choice: &Choice, visit: &mut Visit<'_>) -> Result<(), Fault> {
    let mut begin = [0; 8];
    let read = read_fully(&mut file, &mut begin)?;
    file.rewind().map_err(|error| unreadable(&error))?;
    match &begin[..read] {
        [] => Err(whole(Found::Empty)),
        [b'P', b'K', 3, 4, ..] => xlsx::lines(file, choice, visit),
        // The container of old workbooks, and of encrypted new ones.
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Err(whole(Found::NotAWorkbook)),
        _ => csv::lines(file, form, visit),
    }
}

fn read_fully(file: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Fault> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(&error)),
        }
    }
    Ok(filled)
}

/// Opens a file.
///
/// # Errors
/// If that fails.
pub fn open(path: &Path) -> Result<File, Fault> {
    File::open(path).map_err(|error| unreadable(&error))
}

/// A fault of the whole file.
fn whole(found: Found) -> Fault {
    Fault { place: Place::default(), found }
}

fn unreadable(error: &std::io::Error) -> Fault {
    whole(Found::Unreadable(error.kind()))
}

/// The letters of a column of a spreadsheet, from 0: `A`, `B`, ... `AA`.
fn letters(column: usize) -> Arc<str> {
    let (mut rest, mut letters) = (column + 1, Vec::new());
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or_default();
        letters.push(char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect::<String>().into()
}

#[cfg(test)]
mod tests;
