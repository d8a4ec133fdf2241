//! CSV files from users, read row by row. Columns are identified by name and may be in any order.
//!
//! Only one line is in memory at a time, and its length is limited, so memory is bounded for every file.

use std::{
    fmt,
    io::{self, BufRead, Read as _},
};

/// A fault, and its position in the file.
#[derive(Debug)]
pub struct CsvError {
    line: u64,
    column: Option<&'static str>,
    what: String,
    source: Option<io::Error>,
}

impl fmt::Display for CsvError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(formatter, ", column {column}")?;
        }
        write!(formatter, ": {}", self.what)
    }
}

impl std::error::Error for CsvError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as &(dyn std::error::Error + 'static))
    }
}

/// The columns of a kind of file.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    /// Required.
    pub needed: &'static [&'static str],
    /// A file may lack these; their fields are then empty.
    pub optional: &'static [&'static str],
    /// In bytes.
    pub longest_line: u64,
}

pub struct CsvRows<R> {
    input: R,
    columns: Columns,
    line: u64,
    /// The column of each field.
    header: Vec<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Line number in the file.
    pub line: u64,
    fields: Vec<(&'static str, String)>,
}

impl Record {
    /// The trimmed text of a column; empty if the file lacks the column.
    pub fn text(&self, column: &str) -> &str {
        let field = self.fields.iter().find(|(name, _)| *name == column);
        field.map_or("", |(_, text)| text)
    }

    /// An error about this row, and possibly a column.
    pub fn wrong(&self, column: Option<&'static str>, what: impl Into<String>) -> CsvError {
        CsvError { line: self.line, column, what: what.into(), source: None }
    }
}

impl<R: BufRead> CsvRows<R> {
    pub fn open(input: R, columns: Columns) -> Result<Self, CsvError> {
        let mut rows = Self { input, columns, line: 0, header: Vec::new() };
        let form = columns.needed.join(",");
        let header = rows.next_line()?.ok_or_else(|| CsvError {
            line: 1,
            column: None,
            what: format!("the file is empty: a header {form} is needed"),
            source: None,
        })?;
        let header = rows.fields(header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&header))?;
        for name in &header {
            let known = || columns.needed.iter().chain(columns.optional).copied();
            let column = known().find(|column| name.trim_ascii() == column.as_bytes()).ok_or_else(|| {
                let (name, known) = (String::from_utf8_lossy(name), known().collect::<Vec<_>>().join(","));
                rows.wrong(None, format!("the header has a column {name:?}; there are {known}"))
            })?;
            if rows.header.contains(&column) {
                return Err(rows.wrong(Some(column), "the header has this column twice"));
            }
            rows.header.push(column);
        }
        if let Some(missing) = columns.needed.iter().find(|column| !rows.header.contains(column)) {
            return Err(rows.wrong(Some(missing), format!("the header lacks this column; it has to be {form}")));
        }
        Ok(rows)
    }

    /// The next row; `None` at the end of the file.
    pub fn next_row(&mut self) -> Result<Option<Record>, CsvError> {
        let Some(line) = self.next_line()? else { return Ok(None) };
        let fields = self.fields(&line)?;
        let (count, all) = (fields.len(), self.header.len());
        if count < all {
            let what = format!("the row ends after {count} of {all} columns: is the file only half there?");
            return Err(self.wrong(self.header.get(count).copied(), what));
        }
        if count > all {
            return Err(self.wrong(None, format!("the row has {count} columns, {all} are needed")));
        }
        let mut record = Record { line: self.line, fields: Vec::with_capacity(all) };
        for (column, field) in self.header.iter().copied().zip(fields) {
            let text = String::from_utf8(field);
            let text = text.map_err(|_| self.wrong(Some(column), "is not UTF-8: save the file as UTF-8"))?;
            record.fields.push((column, text.trim().to_owned()));
        }
        Ok(Some(record))
    }

    /// The next line without its line end; empty lines are allowed only at the end of the file.
    fn next_line(&mut self) -> Result<Option<Vec<u8>>, CsvError> {
        let longest = self.columns.longest_line;
        let mut empty = None;
        loop {
            let mut line = Vec::new();
            let read = self.input.by_ref().take(longest).read_until(b'\n', &mut line);
            self.line += 1;
            read.map_err(|error| CsvError { source: Some(error), ..self.wrong(None, "the file cannot be read") })?;
            if line.is_empty() {
                return Ok(None);
            }
            if !line.ends_with(b"\n") && line.len() as u64 == longest {
                let what = format!("the row is longer than {longest} bytes: is a line end missing?");
                return Err(self.wrong(None, what));
            }
            let content = line.trim_ascii_end().len();
            line.truncate(content);
            match (line.is_empty(), empty) {
                (true, _) => empty = empty.or(Some(self.line)),
                (false, Some(empty)) => {
                    return Err(CsvError { line: empty, ..self.wrong(None, "the row is empty") });
                }
                (false, None) => return Ok(Some(line)),
            }
        }
    }

    /// Splits a line. A quoted field may contain commas, but no line end.
    fn fields(&self, line: &[u8]) -> Result<Vec<Vec<u8>>, CsvError> {
        let open = line.iter().filter(|byte| **byte == b'"').fold(false, |open, _| !open);
        if open {
            return Err(self.wrong(None, "a quotation mark is not closed in its row"));
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(line.len().max(1))
            .from_reader(line);
        let mut record = csv::ByteRecord::new();
        reader.read_byte_record(&mut record).map_err(|error| self.wrong(None, error.to_string()))?;
        Ok(record.iter().map(<[u8]>::to_vec).collect())
    }

    fn wrong(&self, column: Option<&'static str>, what: impl Into<String>) -> CsvError {
        CsvError { line: self.line, column, what: what.into(), source: None }
    }
}
