//! CSV files, record by record.

use std::{
    io::{ErrorKind, Read, Seek, SeekFrom},
    ops::ControlFlow,
};

use ::csv::{ErrorKind as CsvKind, Reader, ReaderBuilder, StringRecord, Terminator};
use encoding_rs::Encoding;

use super::{
    decode::{Decoded, LONGEST, encoding},
    line::{Line, Visit, unreadable, whole},
};
use crate::{
    cell::Cell,
    fault::{Fault, Found, Limit, Place},
    form::Form,
};

/// What the reader keeps ahead of the record that it hands on.
const AHEAD: usize = 16 << 10;

/// So many lines may stand before the header: titles and remarks.
pub(super) const BEFORE_HEADER: usize = 10;

/// What separates fields, the usual one first.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// Hands each record of a file to `visit`.
pub(super) fn lines(mut file: impl Read + Seek, form: &Form, visit: &mut Visit<'_>) -> Result<(), Fault> {
    let (encoding, mark) = encoding(&mut file)?;
    let separator = separator(&mut file, (encoding, mark), form)?;
    let mut reader = reader(&mut file, (encoding, mark), separator)?;
    let mut record = StringRecord::new();
    // The record before: only the next one tells whether it is the last.
    let mut held: Option<Held> = None;
    loop {
        let more = reader.read_record(&mut record).map_err(|error| fault(&error, reader.position().line()))?;
        let next = more.then(|| Held::new(&record, reader.position().line()));
        if let Some(held) = std::mem::replace(&mut held, next) {
            let decoded = reader.get_mut();
            // The last line may have no end.
            let unended = u64::from(!more && !decoded.ended_line());
            let line = held.line(unended);
            let last = line.place.line + line_breaks(&line);
            let line = match decoded.quotes.fault_in(line.place.line, last) {
                Some(line) => Err(Fault { place: Place { line, ..Place::default() }, found: Found::QuoteOpen }),
                None => Ok(line),
            };
            if visit(line) == ControlFlow::Break(()) {
                return Ok(());
            }
        }
        if !more {
            return Ok(());
        }
    }
}

/// A record, and the line after its last one.
struct Held {
    cells: Vec<Cell>,
    line_breaks: u64,
    next_line: u64,
}

impl Held {
    fn new(record: &StringRecord, next_line: u64) -> Self {
        Self {
            cells: record.iter().map(|field| Cell::Text(field.to_owned())).collect(),
            line_breaks: record.iter().map(breaks).sum(),
            next_line,
        }
    }

    /// Empty lines before a record are counted with it, so its first line is found from its end.
    fn line(self, unended: u64) -> Line {
        let line = (self.next_line + unended).saturating_sub(1 + self.line_breaks);
        let place = Place { line, ..Place::default() };
        Line { place, cells: self.cells, may_lack_cells: false, merged: Vec::new() }
    }
}

fn line_breaks(line: &Line) -> u64 {
    line.cells.iter().map(|cell| if let Cell::Text(text) = cell { breaks(text) } else { 0 }).sum()
}

fn breaks(field: &str) -> u64 {
    field.bytes().map(|byte| u64::from(byte == b'\n')).sum()
}

fn reader<'file, File: Read + Seek>(
    file: &'file mut File,
    (encoding, mark): (&'static Encoding, u64),
    separator: u8,
) -> Result<Reader<Decoded<&'file mut File>>, Fault> {
    file.seek(SeekFrom::Start(mark)).map_err(|error| unreadable(&error))?;
    let decoded = Decoded::new(file, encoding, separator);
    Ok(ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .terminator(Terminator::Any(b'\n'))
        .buffer_capacity(AHEAD)
        .from_reader(decoded))
}

/// The separator by which the first lines have the most headings that are known.
fn separator(file: &mut (impl Read + Seek), encoding: (&'static Encoding, u64), form: &Form) -> Result<u8, Fault> {
    let mut best = (0, SEPARATORS[0]);
    for separator in SEPARATORS {
        let mut reader = reader(file, encoding, separator)?;
        let mut record = StringRecord::new();
        for _ in 0..=BEFORE_HEADER {
            if !matches!(reader.read_record(&mut record), Ok(true)) {
                break;
            }
            let known = record.iter().filter(|field| form.find(field).is_some()).count();
            if known > best.0 {
                best = (known, separator);
            }
        }
    }
    Ok(best.1)
}

fn fault(error: &::csv::Error, line: u64) -> Fault {
    let place = Place { line, ..Place::default() };
    let CsvKind::Io(error) = error.kind() else { return whole(Found::Encoding) };
    match error.kind() {
        ErrorKind::FileTooLarge => Fault { place, found: Found::TooMuch { of: Limit::Line, most: LONGEST as u64 } },
        ErrorKind::InvalidData => Fault { place, found: Found::Encoding },
        kind => Fault { place, found: Found::Unreadable(kind) },
    }
}
