//! Lines of cells, and what is told of a file as a whole.

use std::{
    io::{self, ErrorKind, Read},
    ops::ControlFlow,
    sync::Arc,
};

use crate::{
    cell::Cell,
    fault::{Fault, Found, Place},
};

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
pub(super) type Visit<'visit> = dyn FnMut(Result<Line, Fault>) -> ControlFlow<()> + 'visit;

/// Reads until a buffer is full or the file ends.
pub(super) fn read_fully(file: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Fault> {
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

/// A fault of the whole file.
pub(super) fn whole(found: Found) -> Fault {
    Fault { place: Place::default(), found }
}

pub(super) fn unreadable(error: &io::Error) -> Fault {
    whole(Found::Unreadable(error.kind()))
}

/// The letters of a column of a spreadsheet, from 0: `A`, `B`, ... `AA`.
pub(super) fn letters(column: usize) -> Arc<str> {
    let (mut rest, mut letters) = (column + 1, Vec::new());
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or_default();
        letters.push(char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect::<String>().into()
}
