//! Sheets of XLSX workbooks, row by row.

use std::{
    collections::BTreeMap,
    io::{BufReader, ErrorKind, Read, Seek},
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use calamine::{
    CellErrorType, DataRef, Dimensions, ExcelDateTime, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError,
};
use chrono::NaiveDate;

use super::{
    csv::BEFORE_HEADER,
    guard,
    line::{Choice, Line, Visit, unreadable, whole},
};
use crate::{
    cell::Cell,
    fault::{Fault, Found, Limit, Place},
    form::{Form, is_of_template},
};

/// The most columns of a sheet: those of Excel.
const COLUMNS: usize = 16_384;

/// The most bytes of the texts in a row: many cells may share a long one.
const ROW: usize = 1 << 20;

/// So many known headings make another sheet one of the same kind.
const HEADINGS: usize = 3;

/// Hands each row of a sheet to `visit`.
pub(super) fn lines(
    mut file: impl Read + Seek,
    form: &Form,
    choice: &Choice,
    visit: &mut Visit<'_>,
) -> Result<(), Fault> {
    let checked = guard::check(&mut BufReader::new(&mut file))?;
    let fenced = checked.fence(file).map_err(|error| unreadable(&error))?;
    let mut workbook = calmly(|| Xlsx::new(BufReader::new(fenced)))?;
    let mut sheet = sheet(&workbook, choice)?;
    if choice.sheet.is_none() {
        sheet = with_headings(&mut workbook, sheet, form)?;
    }
    let mut merged = BTreeMap::<u32, Vec<Dimensions>>::new();
    if checked.merges > 0 {
        for region in calmly(|| workbook.merge_cells_by_sheet_name(&sheet))? {
            merged.entry(region.start.0).or_default().push(region);
        }
    }
    let name: Arc<str> = sheet.as_str().into();
    let mut cells = calmly(|| workbook.worksheet_cells_reader(&sheet))?;
    let mut rows = Rows { sheet: name, row: 0, cells: Vec::new(), bytes: 0, merged, visit };
    while let Some(record) = calmly(|| cells.next_cell_with_formula_metadata())? {
        let (row, column) = record.pos;
        let value = match (record.value, record.formula) {
            (DataRef::Empty, Some(_)) => Cell::NoResult,
            (value, _) => cell(value),
        };
        if rows.take(row, column as usize, value)? == ControlFlow::Break(()) {
            return Ok(());
        }
    }
    let _ = rows.hand_on();
    Ok(())
}

fn sheet<R: Read + Seek>(workbook: &Xlsx<R>, choice: &Choice) -> Result<String, Fault> {
    let sheets: Vec<_> = workbook.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet).collect();
    let found = match &choice.sheet {
        Some(name) => sheets.iter().find(|sheet| sheet.name == *name),
        None => sheets.iter().find(|sheet| sheet.visible == SheetVisible::Visible).or_else(|| sheets.first()),
    };
    let names = || sheets.iter().map(|sheet| sheet.name.clone()).collect();
    found.map(|sheet| sheet.name.clone()).ok_or_else(|| whole(Found::NoSheet { sheets: names() }))
}

/// The only visible sheet that has the headings, or the first one if none has. Where several have them, as where each
/// village has one, nobody knows which is meant. Those of a template that explain the first sheet have them, too.
fn with_headings<R: Read + Seek>(workbook: &mut Xlsx<R>, first: String, form: &Form) -> Result<String, Fault> {
    let visible = |sheet: &&calamine::Sheet| {
        sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible && !is_of_template(&sheet.name)
    };
    let mut names: Vec<_> = workbook.sheets_metadata().iter().filter(visible).map(|sheet| sheet.name.clone()).collect();
    if !names.contains(&first) {
        names.push(first.clone());
    }
    let mut having = Vec::new();
    for name in names {
        let mut cells = calmly(|| workbook.worksheet_cells_reader(&name))?;
        let mut known = 0;
        while let Some(cell) = calmly(|| cells.next_cell())? {
            if cell.get_position().0 as usize > BEFORE_HEADER {
                break;
            }
            let heading = self::cell(cell.get_value().clone()).heading();
            known += usize::from(form.find(&heading).is_some());
        }
        if known >= HEADINGS {
            having.push(name);
        }
    }
    if having.len() < 2 {
        return Ok(having.pop().unwrap_or(first));
    }
    having.retain(|name| *name != first);
    Err(whole(Found::OtherSheets(having)))
}

/// Puts cells together into rows.
struct Rows<'visit, 'file> {
    sheet: Arc<str>,
    row: u32,
    cells: Vec<Cell>,
    /// Bytes of the texts in the row.
    bytes: usize,
    merged: BTreeMap<u32, Vec<Dimensions>>,
    visit: &'visit mut Visit<'file>,
}

impl Rows<'_, '_> {
    fn take(&mut self, row: u32, column: usize, cell: Cell) -> Result<ControlFlow<()>, Fault> {
        if row < self.row {
            return Err(whole(Found::Workbook("its rows are out of order")));
        }
        if row > self.row && self.hand_on() == ControlFlow::Break(()) {
            return Ok(ControlFlow::Break(()));
        }
        self.row = row;
        if column >= COLUMNS {
            return Err(whole(Found::TooMuch { of: Limit::Columns, most: COLUMNS as u64 }));
        }
        // A cell that only has a format makes no row longer.
        if cell == Cell::Empty {
            return Ok(ControlFlow::Continue(()));
        }
        if let Cell::Text(text) = &cell {
            self.bytes += text.len();
            if self.bytes > ROW {
                return Err(whole(Found::TooMuch { of: Limit::Line, most: ROW as u64 }));
            }
        }
        if self.cells.len() <= column {
            self.cells.resize(column + 1, Cell::Empty);
        }
        if self.cells[column] != Cell::Empty {
            return Err(whole(Found::Workbook("it states a cell twice")));
        }
        self.cells[column] = cell;
        Ok(ControlFlow::Continue(()))
    }

    fn hand_on(&mut self) -> ControlFlow<()> {
        if self.cells.is_empty() {
            return ControlFlow::Continue(());
        }
        let place = Place { sheet: Some(Arc::clone(&self.sheet)), line: u64::from(self.row) + 1, column: None };
        let regions = self.merged.remove(&self.row).unwrap_or_default();
        let merged =
            regions.iter().map(|region| (region.start.1 as usize, region.end.1 as usize, u64::from(region.end.0) + 1));
        let cells = std::mem::take(&mut self.cells);
        self.bytes = 0;
        (self.visit)(Ok(Line { place, cells, may_lack_cells: true, merged: merged.collect() }))
    }
}

fn cell(value: DataRef<'_>) -> Cell {
    match value {
        DataRef::Empty => Cell::Empty,
        DataRef::String(text) | DataRef::DurationIso(text) => Cell::Text(text),
        DataRef::SharedString(text) => Cell::Text(text.to_owned()),
        #[expect(clippy::cast_precision_loss, reason = "a number of that size is refused")]
        DataRef::Int(number) => Cell::Number(number as f64),
        DataRef::Float(number) => Cell::Number(number),
        DataRef::Bool(truth) => Cell::Truth(truth),
        DataRef::DateTime(moment) => day(&moment).map_or(Cell::Number(moment.as_f64()), Cell::Day),
        DataRef::DateTimeIso(text) => iso_day(&text).map_or(Cell::Text(text), Cell::Day),
        DataRef::Error(CellErrorType::GettingData) => Cell::NoResult,
        DataRef::Error(_) => Cell::Failed,
    }
}

/// The day of a date; nothing for a time of day or a duration.
fn day(moment: &ExcelDateTime) -> Option<NaiveDate> {
    if !moment.is_datetime() || moment.as_f64() < 1.0 {
        return None;
    }
    let (year, month, day, ..) = moment.to_ymd_hms_milli();
    NaiveDate::from_ymd_opt(year.into(), month.into(), day.into())
}

/// The day of `2025-12-31T00:00:00`.
fn iso_day(text: &str) -> Option<NaiveDate> {
    let (day, _) = text.split_once('T').unwrap_or((text, ""));
    tongxin_proto::read_day(day).ok()
}

/// What the library reads. It may panic at files that no spreadsheet writes: such a file is refused like any other.
fn calmly<T>(read: impl FnOnce() -> Result<T, XlsxError>) -> Result<T, Fault> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| fault(&error)),
        Err(_) => Err(whole(Found::Workbook("its content is not what a spreadsheet writes"))),
    }
}

fn fault(error: &XlsxError) -> Fault {
    whole(match error {
        XlsxError::Io(error) if error.kind() == ErrorKind::InvalidData => {
            Found::Workbook("a part of it is not what a spreadsheet writes")
        }
        XlsxError::Io(error) => Found::Unreadable(error.kind()),
        XlsxError::Password => Found::NotAWorkbook,
        XlsxError::WorksheetNotFound(_) => Found::Workbook("it names a sheet that it does not have"),
        _ => Found::Workbook("its content is not what a spreadsheet writes"),
    })
}
