//! Register files, read row by row: CSV with the columns `code,name,level,parent_code,assisted`.
//!
//! Only one line is held at a time, and a line has an upper length, so memory stays bounded whatever the file holds.

use std::{
    fmt,
    io::{self, BufRead, Read as _},
};

use tongxin_proto::pairing::v1::{RegionLevel, RegionRow};

const COLUMNS: [&str; 5] = ["code", "name", "level", "parent_code", "assisted"];

/// Names have at most 100 characters.
const LONGEST_LINE: u64 = 2_000;

/// What is wrong with a file, and where.
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

/// The rows of a register file. Yields no more after an error.
pub struct RegisterRows<R> {
    input: R,
    line: u64,
    /// Where each of [`COLUMNS`] stands.
    places: [usize; 5],
    ended: bool,
}

impl<R: BufRead> RegisterRows<R> {
    /// Reads the header.
    pub fn open(input: R) -> Result<Self, CsvError> {
        let mut rows = Self { input, line: 0, places: [0, 1, 2, 3, 4], ended: false };
        let header = rows.next_line()?.ok_or_else(|| CsvError {
            line: 1,
            column: None,
            what: format!("the file is empty: a header {} is needed", COLUMNS.join(",")),
            source: None,
        })?;
        let header = header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&header);
        rows.places = rows.find_columns(&rows.fields(header)?)?;
        Ok(rows)
    }

    fn find_columns(&self, header: &[Vec<u8>]) -> Result<[usize; 5], CsvError> {
        let mut places = [0; 5];
        for (place, column) in places.iter_mut().zip(COLUMNS) {
            let found = header.iter().position(|name| name.trim_ascii() == column.as_bytes());
            *place = found.ok_or_else(|| {
                let form = COLUMNS.join(",");
                self.wrong(Some(column), format!("the header lacks this column; it has to be {form}"))
            })?;
        }
        if header.len() > COLUMNS.len() {
            return Err(self.wrong(None, format!("the header has more columns than {}", COLUMNS.join(","))));
        }
        Ok(places)
    }

    fn read(&mut self) -> Result<Option<RegionRow>, CsvError> {
        let Some(line) = self.next_line()? else { return Ok(None) };
        let fields = self.fields(&line)?;
        if fields.len() < COLUMNS.len() {
            let count = fields.len();
            let what = format!("the row ends after {count} of 5 columns: is the file only half there?");
            return Err(self.wrong(COLUMNS.get(count).copied(), what));
        }
        if fields.len() > COLUMNS.len() {
            return Err(self.wrong(None, format!("the row has {} columns, 5 are needed", fields.len())));
        }
        let [code, name, level, parent_code, assisted] = self.texts(&fields)?;
        Ok(Some(RegionRow {
            code: code.to_owned(),
            name: name.to_owned(),
            level: self.level(level)?.into(),
            parent_code: parent_code.to_owned(),
            assisted: self.assisted(assisted)?,
        }))
    }

    fn texts<'fields>(&self, fields: &'fields [Vec<u8>]) -> Result<[&'fields str; 5], CsvError> {
        let mut texts = [""; 5];
        for ((text, place), column) in texts.iter_mut().zip(self.places).zip(COLUMNS) {
            let field = fields.get(place).map_or(&[][..], Vec::as_slice);
            let read = std::str::from_utf8(field);
            *text = read.map_err(|_| self.wrong(Some(column), "is not UTF-8: save the file as UTF-8"))?.trim();
        }
        Ok(texts)
    }

    fn level(&self, name: &str) -> Result<RegionLevel, CsvError> {
        Ok(match name {
            "province" => RegionLevel::Province,
            "city" => RegionLevel::City,
            "county" => RegionLevel::County,
            "town" => RegionLevel::Town,
            "village" => RegionLevel::Village,
            "community" => RegionLevel::Community,
            _ => {
                let known = "province, city, county, town, village or community";
                return Err(self.wrong(Some("level"), format!("{name:?} is no level: {known} is needed")));
            }
        })
    }

    fn assisted(&self, text: &str) -> Result<bool, CsvError> {
        match text {
            "0" => Ok(false),
            "1" => Ok(true),
            _ => Err(self.wrong(Some("assisted"), format!("is {text:?}: 0 or 1 is needed"))),
        }
    }

    /// The next line without its end; empty ones may stand only at the end of the file.
    fn next_line(&mut self) -> Result<Option<Vec<u8>>, CsvError> {
        let mut empty = None;
        loop {
            let mut line = Vec::new();
            let read = self.input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
            self.line += 1;
            read.map_err(|error| CsvError { source: Some(error), ..self.wrong(None, "the file cannot be read") })?;
            if line.is_empty() {
                return Ok(None);
            }
            if !line.ends_with(b"\n") && line.len() as u64 == LONGEST_LINE {
                return Err(
                    self.wrong(None, format!("the row is longer than {LONGEST_LINE} bytes: is a line end missing?"))
                );
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

    /// Takes a line apart. A quoted field may hold commas, but no line end.
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
