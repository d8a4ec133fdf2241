//! A file that is written line by line.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use chrono::Datelike as _;
use rust_xlsxwriter::{ColNum, ExcelDateTime, Format, RowNum, Workbook, Worksheet, XlsxError};
use tempfile::{NamedTempFile, TempPath};

use crate::cell::{Cell, begins_formula};

/// Digits from this many on are shown with an exponent by a spreadsheet that opens a CSV file, and then kept so.
const LONG_NUMBER: usize = 11;

/// A file that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// By the system.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// More rows, columns or characters than a workbook takes.
    #[error("a workbook cannot hold it: {0}")]
    Workbook(#[from] XlsxError),
    /// By the writer of CSV.
    #[error(transparent)]
    Csv(#[from] csv::Error),
}

/// A CSV or XLSX file that is being written. It has its name once it is complete.
pub struct Output(Kind);

enum Kind {
    Csv { writer: csv::Writer<Box<dyn Write + Send>>, file: Option<Unfinished> },
    Xlsx { workbook: Box<Workbook>, file: Unfinished, formats: Formats, row: RowNum },
}

/// A file beside the one that it becomes; it goes away unless it is finished.
struct Unfinished {
    written: TempPath,
    path: PathBuf,
}

impl Unfinished {
    fn beside(path: &Path) -> io::Result<(File, Self)> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (file, written) = NamedTempFile::new_in(folder)?.into_parts();
        Ok((file, Self { written, path: path.to_owned() }))
    }

    fn finish(self) -> io::Result<()> {
        self.written.persist_noclobber(self.path).map_err(|error| error.error)
    }
}

impl Output {
    /// An XLSX file if the name of the path says so, otherwise a CSV file; an XLSX file has one sheet of this name. No file
    /// is overwritten.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn create(path: &Path, sheet: &str) -> Result<Self, WriteError> {
        let (written, file) = Unfinished::beside(path)?;
        if !is_xlsx(path) {
            return Self::to(Box::new(BufWriter::new(written)), Some(file));
        }
        let mut workbook = Box::new(Workbook::new());
        workbook.add_worksheet_with_constant_memory()?.set_name(sheet)?;
        Ok(Self(Kind::Xlsx { workbook, file, formats: Formats::new(), row: 0 }))
    }

    /// CSV in UTF-8 with a byte order mark, without which Excel takes it for another encoding.
    ///
    /// # Errors
    /// If nothing can be written.
    pub fn csv(to: Box<dyn Write + Send>) -> Result<Self, WriteError> {
        Self::to(to, None)
    }

    fn to(mut to: Box<dyn Write + Send>, file: Option<Unfinished>) -> Result<Self, WriteError> {
        to.write_all("\u{feff}".as_bytes())?;
        let writer = csv::WriterBuilder::new().flexible(true).terminator(csv::Terminator::CRLF).from_writer(to);
        Ok(Self(Kind::Csv { writer, file }))
    }

    /// Writes a line.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn line(&mut self, cells: &[Cell]) -> Result<(), WriteError> {
        match &mut self.0 {
            Kind::Csv { writer, .. } => Ok(writer.write_record(cells.iter().map(as_csv))?),
            Kind::Xlsx { workbook, formats, row, .. } => {
                let sheet = workbook.worksheet_from_index(0)?;
                for (column, cell) in (0..).zip(cells) {
                    write_cell(sheet, (*row, column), cell, formats)?;
                }
                *row += 1;
                Ok(())
            }
        }
    }

    /// Completes the file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(self) -> Result<(), WriteError> {
        match self.0 {
            Kind::Csv { mut writer, file } => {
                writer.flush()?;
                Ok(file.map_or(Ok(()), Unfinished::finish)?)
            }
            Kind::Xlsx { mut workbook, file, .. } => {
                workbook.save(&file.written)?;
                Ok(file.finish()?)
            }
        }
    }
}

/// Whether the name of a file says that it is a workbook.
pub(super) fn is_xlsx(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx"))
}

/// How cells look.
pub(super) struct Formats {
    pub text: Format,
    pub day: Format,
}

impl Formats {
    pub fn new() -> Self {
        Self { text: Format::new().set_num_format("@"), day: Format::new().set_num_format("yyyy-mm-dd") }
    }
}

/// Texts are written as texts, so that none is taken for a number or a formula.
pub(super) fn write_cell(
    sheet: &mut Worksheet,
    (row, column): (RowNum, ColNum),
    cell: &Cell,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty | Cell::Failed | Cell::NoResult => {}
        Cell::Text(text) => {
            sheet.write_string_with_format(row, column, text.as_str(), &formats.text)?;
        }
        Cell::Number(number) => {
            sheet.write_number(row, column, *number)?;
        }
        Cell::Truth(truth) => {
            sheet.write_boolean(row, column, *truth)?;
        }
        Cell::Day(day) => {
            let part = |part: u32| u8::try_from(part).unwrap_or(1);
            let year = u16::try_from(day.year()).unwrap_or(1900);
            // Excel knows no day before 1900.
            match ExcelDateTime::from_ymd(year, part(day.month()), part(day.day())) {
                Ok(moment) => sheet.write_datetime_with_format(row, column, &moment, &formats.day)?,
                Err(_) => sheet.write_string_with_format(row, column, day.to_string(), &formats.text)?,
            };
        }
    }
    Ok(())
}

/// The field of a cell. A tab before long numbers keeps spreadsheets from rounding them, an apostrophe keeps them from
/// running a text as a formula; a reader takes both away.
fn as_csv(cell: &Cell) -> String {
    match cell {
        Cell::Empty | Cell::Failed | Cell::NoResult => String::new(),
        Cell::Text(text) => match text.trim() {
            // A cell of a CSV file that is copied may have a tab already.
            text if is_long_number(text) => format!("\t{text}"),
            text if begins_formula(text) => format!("'{text}"),
            text => text.to_owned(),
        },
        Cell::Number(number) => number.to_string(),
        Cell::Day(day) => day.to_string(),
        Cell::Truth(truth) => truth.to_string().to_uppercase(),
    }
}

fn is_long_number(text: &str) -> bool {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits && (text.len() > LONG_NUMBER || text.len() > 1 && text.starts_with('0'))
}
