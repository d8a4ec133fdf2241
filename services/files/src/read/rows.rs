//! Rows of the contract from the lines of a file.

use std::{
    io::{Read, Seek},
    ops::ControlFlow,
    sync::Arc,
};

use prost::{bytes::BufMut as _, encoding};
use tongxin_proto::{options::v1::Key, rules};

use super::{
    columns::Columns,
    header::{self, Header, Search},
    line::{Choice, Line, letters, whole},
    open::lines,
    twice::Stated,
};
use crate::{
    cell::{self, Cell},
    fault::{Fault, Found, Limit, Place},
    form::{Column, Form},
    kinds::FileRow,
};

/// A row of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<Message> {
    /// The places of its lines.
    pub lines: Vec<Place>,
    /// What it states.
    pub message: Message,
}

/// What is read from a file, in its order.
#[derive(Debug, Clone, PartialEq)]
pub enum RowRead<Message> {
    /// A row without a fault.
    Row(Row<Message>),
    /// What is wrong with a row, or with a line of one.
    Fault {
        /// What, and where.
        fault: Fault,
        /// The lines of the row.
        lines: Vec<u64>,
    },
}

/// Hands each row of a file to `visit`, or what is wrong with it. Rows are checked by the rules of the contract, and
/// what is stated twice is a fault. Memory is bounded, but for what is kept of each row: its
/// line numbers and 16 bytes.
///
/// # Errors
/// The faults of all of the file: it cannot be read on, or its header is wrong.
pub fn read<Message>(
    file: impl Read + Seek,
    form: &Form,
    choice: &Choice,
    visit: &mut dyn FnMut(RowRead<Message>) -> ControlFlow<()>,
) -> Result<Columns, Vec<Fault>>
where
    Message: FileRow,
{
    let mut rows = Rows {
        form,
        choice,
        search: Search::default(),
        header: None,
        refused: Vec::new(),
        open: Vec::new(),
        stated: Stated::default(),
        last: None,
        any: false,
        visit,
    };
    let read = lines(file, form, choice, &mut |line| rows.take(line));
    if !rows.refused.is_empty() {
        return Err(rows.refused);
    }
    read.map_err(|fault| vec![fault])?;
    rows.end()
}

/// A fault of one line, whatever else belongs to its row.
fn alone<Message>(fault: Fault) -> RowRead<Message> {
    RowRead::Fault { lines: vec![fault.place.line], fault }
}

fn numbers(places: &[Place]) -> Vec<u64> {
    places.iter().map(|place| place.line).collect()
}

/// The most lines of a row. The contract allows far fewer members; more are a file whose numbers are missing.
const LINES: usize = 200;

/// A line of the file with its columns in the order of the form.
struct Filled {
    place: Place,
    /// The cell of each column of the form.
    cells: Vec<Cell>,
}

struct Rows<'read, Message> {
    form: &'read Form,
    choice: &'read Choice,
    search: Search,
    header: Option<Header>,
    /// Faults of all of the file.
    refused: Vec<Fault>,
    /// The lines of the row that may go on with the next one.
    open: Vec<Filled>,
    stated: Stated,
    last: Option<Line>,
    /// Whether there was a line after the header.
    any: bool,
    visit: &'read mut dyn FnMut(RowRead<Message>) -> ControlFlow<()>,
}

impl<Message: FileRow> Rows<'_, Message> {
    fn take(&mut self, line: Result<Line, Fault>) -> ControlFlow<()> {
        let line = match line {
            Ok(line) => line,
            Err(fault) => {
                self.close()?;
                self.any = true;
                return (self.visit)(alone(fault));
            }
        };
        let Some(header) = &self.header else {
            match self.search.look(&line, self.form, self.choice) {
                Ok(found) => self.header = found,
                Err(faults) => {
                    self.refused = faults;
                    return ControlFlow::Break(());
                }
            }
            self.last = Some(line);
            return ControlFlow::Continue(());
        };
        if line.is_empty() {
            return ControlFlow::Continue(());
        }
        self.any = true;
        let wrong = |found| alone(Fault { place: line.place.clone(), found });
        if header.is_again(&line) {
            return (self.visit)(wrong(Found::HeaderAgain));
        }
        if !line.may_lack_cells && line.cells.len() < header.width {
            let found = Found::Short { fields: line.cells.len(), needed: header.width };
            return (self.visit)(wrong(found));
        }
        for (at, cell) in line.cells.iter().enumerate() {
            let is_unnamed =
                header.columns.get(at).is_none_or(|(column, name)| column.is_none() && is_letters(at, name));
            if is_unnamed && !cell.is_empty() {
                let place = line.place.column(header.name(at));
                return (self.visit)(alone(Fault { place, found: Found::Unnamed }));
            }
        }
        if let Some(fault) = self.merged_cells(header, &line) {
            return (self.visit)(alone(fault));
        }
        let filled = fill(self.form, header, line);
        if let Some(found) = self.sparse(&filled) {
            return (self.visit)(alone(Fault { place: filled.place, found }));
        }
        if self.form.lines.is_some() { self.add(filled) } else { self.row(&[filled]) }
    }

    /// Lines of totals and remarks have little of what a line needs; naming each column apart would hide that.
    fn sparse(&self, line: &Filled) -> Option<Found> {
        let columns = self.form.columns.iter().zip(&line.cells).enumerate();
        let needed = columns.filter(|(_, (column, _))| !column.optional && column.of_line == self.form.lines.is_some());
        let (lacks, filled): (Vec<_>, Vec<_>) = needed.partition(|(_, (_, cell))| cell.is_empty());
        let is_sparse = filled.len() * 3 <= lacks.len();
        is_sparse.then(|| Found::Sparse { lacks: lacks.into_iter().map(|(at, _)| self.name(at).to_string()).collect() })
    }

    /// Cells may be merged over lines only where all of these state one row.
    fn merged_cells(&self, header: &Header, line: &Line) -> Option<Fault> {
        let (column, _, until) = line.merged.iter().find(|(column, _, until)| {
            let known = header.columns.get(*column).and_then(|(column, _)| *column);
            let needs_own = known.is_some_and(|column| self.form.lines.is_none() || self.form.columns[column].of_line);
            *until > line.place.line && needs_own
        })?;
        Some(Fault { place: line.place.column(header.name(*column)), found: Found::MergedCells { until: *until } })
    }

    /// Adds a line to the row that is open, or begins the next one: lines with one key are one row, as is a line without
    /// one, whose cells may be merged with those above.
    fn add(&mut self, line: Filled) -> ControlFlow<()> {
        let form = self.form;
        let is_alone = keys(form).all(|(at, column)| cell::key_text(column, &line.cells[at]).is_empty());
        // A line that says something of a household, but not of which, is none of those above it.
        let says_more =
            || form.columns.iter().zip(&line.cells).any(|(column, cell)| !column.of_line && !cell.is_empty());
        let goes_on = |first: &Filled| goes_on(form, first, &line) && !(is_alone && says_more());
        if self.open.first().is_some_and(goes_on) {
            // One more shows that there are too many.
            if self.open.len() <= LINES {
                self.open.push(line);
            }
            return ControlFlow::Continue(());
        }
        self.close()?;
        if is_alone {
            let place = Place { column: self.key_column(&line), ..line.place };
            return (self.visit)(alone(Fault { place, found: Found::NoNumber }));
        }
        self.open.push(line);
        ControlFlow::Continue(())
    }

    fn close(&mut self) -> ControlFlow<()> {
        match std::mem::take(&mut self.open) {
            lines if lines.is_empty() => ControlFlow::Continue(()),
            lines if lines.len() > LINES => {
                let found = Found::TooMuch { of: Limit::Lines, most: LINES as u64 };
                (self.visit)(alone(Fault { place: lines[0].place.clone(), found }))
            }
            lines => self.row(&lines),
        }
    }

    fn row(&mut self, lines: &[Filled]) -> ControlFlow<()> {
        let places: Vec<_> = lines.iter().map(|line| line.place.clone()).collect();
        match self.message(lines, &places) {
            Ok(message) => (self.visit)(RowRead::Row(Row { lines: places, message })),
            Err(faults) => {
                for fault in faults {
                    (self.visit)(RowRead::Fault { fault, lines: numbers(&places) })?;
                }
                ControlFlow::Continue(())
            }
        }
    }

    /// What the lines of a row state, or what is wrong with them.
    fn message(&mut self, lines: &[Filled], places: &[Place]) -> Result<Message, Vec<Fault>> {
        let (mut bytes, mut faults) = (Vec::with_capacity(256), Vec::new());
        self.write(&lines[0], false, &mut bytes, &mut faults);
        if let Some(field) = &self.form.lines {
            for (at, line) in lines.iter().enumerate() {
                self.differences(&lines[0], line, at, &mut faults);
                let mut member = Vec::with_capacity(128);
                self.write(line, true, &mut member, &mut faults);
                encoding::encode_key(field.number(), encoding::WireType::LengthDelimited, &mut bytes);
                encoding::encode_varint(member.len() as u64, &mut bytes);
                bytes.put_slice(&member);
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let message: Message = cell::decode(&bytes).map_err(|found| vec![Fault { place: places[0].clone(), found }])?;
        self.broken_rules(&message, places, &mut faults);
        if faults.is_empty()
            && let Some(first) = message.key().and_then(|key| self.stated.before(&key, places[0].line))
        {
            let place = Place { column: self.key_column(&lines[0]), ..places[0].clone() };
            faults.push(Fault { place, found: Found::Twice { first } });
        }
        if faults.is_empty() { Ok(message) } else { Err(faults) }
    }

    /// Writes the cells of a line that are about all of a row, or about the line.
    fn write(&self, line: &Filled, of_line: bool, out: &mut Vec<u8>, faults: &mut Vec<Fault>) {
        for (at, column) in self.form.columns.iter().enumerate().filter(|(_, column)| column.of_line == of_line) {
            let is_stated = self.header.as_ref().is_some_and(|header| header.place_of(at).is_some());
            if !is_stated {
                continue;
            }
            if let Err(found) = cell::write(column, &line.cells[at], out) {
                faults.push(Fault { place: line.place.column(self.name(at)), found });
            }
        }
    }

    /// What is about the whole row may be left out in its further lines, but does not differ.
    fn differences(&self, first: &Filled, line: &Filled, at: usize, faults: &mut Vec<Fault>) {
        if at == 0 {
            return;
        }
        for (index, column) in self.form.columns.iter().enumerate().filter(|(_, column)| !column.of_line) {
            let cell = &line.cells[index];
            if !cell.is_empty() && !is_same(column, cell, &first.cells[index]) {
                let found = Found::Differs { from: first.place.line };
                faults.push(Fault { place: line.place.column(self.name(index)), found });
            }
        }
    }

    fn broken_rules(&self, message: &Message, places: &[Place], faults: &mut Vec<Fault>) {
        for (line, field, found) in message.faults(places) {
            let column = self.columns().of_field(field).0;
            faults.push(Fault { place: Place { column, ..places[line].clone() }, found });
        }
        let Err(violations) = rules::check(message) else { return };
        let columns = self.columns();
        for violation in violations {
            let (heading, line) = columns.of_field(&violation.field);
            let place = Place { column: heading.clone(), ..places.get(line).unwrap_or(&places[0]).clone() };
            // What a cell has to be says its note better than an expression does.
            let note =
                heading.and_then(|heading| self.form.find(&heading)).map(|at| self.form.columns[at].note.clone());
            let found = match note.filter(|note| violation.message.contains('^') && !note[0].is_empty()) {
                Some(note) => Found::Form(note),
                None if violation.field.ends_with("_fen") => Found::Rule(in_yuan(&violation.message)),
                None => Found::Rule(violation.message),
            };
            faults.push(Fault { place, found });
        }
    }

    fn name(&self, column: usize) -> Arc<str> {
        let heading = &self.form.columns[column].en;
        let header = self.header.as_ref();
        let named = header.and_then(|header| header.place_of(column).map(|at| header.name(at)));
        named.unwrap_or_else(|| heading.as_str().into())
    }

    /// The column of the file that names what a line is about, or would have to.
    fn key_column(&self, line: &Filled) -> Option<Arc<str>> {
        let header = self.header.as_ref()?;
        let first = |key: Key, may_be_empty: bool| {
            let columns = self.form.columns.iter().enumerate().filter(|(at, _)| header.place_of(*at).is_some());
            let is_it =
                |(at, column): &(usize, &Column)| column.key == key && (may_be_empty || !line.cells[*at].is_empty());
            columns.into_iter().find(is_it).map(|(at, _)| self.name(at))
        };
        first(Key::Whole, false).or_else(|| first(Key::Otherwise, false)).or_else(|| first(Key::Whole, true))
    }

    fn columns(&self) -> Columns {
        let path = |column: &Column| match &self.form.lines {
            Some(lines) if column.of_line => format!("{}.{}", lines.name(), column.field.name()),
            _ => column.field.name().to_owned(),
        };
        let columns = self.form.columns.iter().enumerate();
        Columns { by_path: columns.map(|(at, column)| (path(column), self.name(at))).collect() }
    }

    fn end(mut self) -> Result<Columns, Vec<Fault>> {
        if self.header.is_none() {
            let fault = match &self.last {
                Some(line) if !line.is_empty() => header::missing(line, self.form),
                _ => whole(Found::Empty),
            };
            return Err(vec![fault]);
        }
        if !self.any {
            return Err(vec![whole(Found::NoRows)]);
        }
        let _ = self.close();
        Ok(self.columns())
    }
}

/// Whether the name of a column is only that of its place.
fn is_letters(at: usize, name: &str) -> bool {
    *name == *letters(at)
}

fn fill(form: &Form, header: &Header, mut line: Line) -> Filled {
    let mut cells = Vec::new();
    cells.resize(form.columns.len(), Cell::Empty);
    for (at, (column, _)) in header.columns.iter().enumerate() {
        if let (Some(column), Some(cell)) = (column, line.cells.get_mut(at)) {
            cells[*column] = std::mem::take(cell);
        }
    }
    Filled { place: line.place, cells }
}

/// Amounts of a broken rule, which the contract states in fen, as files have them.
fn in_yuan(said: &str) -> String {
    let mut text = String::new();
    for part in said.split_inclusive(|character: char| !character.is_ascii_digit()) {
        let digits = part.trim_end_matches(|character: char| !character.is_ascii_digit());
        match digits.parse::<u128>() {
            Ok(fen) if fen % 100 == 0 => text.push_str(&(fen / 100).to_string()),
            Ok(fen) => text.extend([(fen / 100).to_string(), format!(".{:02}", fen % 100)]),
            Err(_) => text.push_str(digits),
        }
        text.push_str(&part[digits.len()..]);
    }
    text
}

/// Digits of a region's code that name its county.
const COUNTY: usize = 6;

/// The columns by which lines are put together.
fn keys(form: &Form) -> impl Iterator<Item = (usize, &Column)> {
    form.columns.iter().enumerate().filter(|(_, column)| column.key == Key::Whole)
}

/// Whether a line states the same row as the first one does: it names no other.
fn goes_on(form: &Form, first: &Filled, line: &Filled) -> bool {
    let texts = |at: usize, column| [line, first].map(|line| cell::key_text(column, &line.cells[at]));
    let is_named_so = keys(form).all(|(at, column)| {
        let [named, first] = texts(at, column);
        named.is_empty() || named == first
    });
    // One number may stand in two counties.
    let counties = form.columns.iter().enumerate().filter(|(_, column)| column.key == Key::County);
    is_named_so
        && counties.into_iter().all(|(at, column)| {
            let [county, first] = texts(at, column).map(|code| code.get(..COUNTY).map(str::to_owned));
            county.is_none() || first.is_none() || county == first
        })
}

fn is_same(column: &Column, one: &Cell, other: &Cell) -> bool {
    let value = |cell| {
        let mut out = Vec::new();
        cell::write(column, cell, &mut out).map(|()| out)
    };
    value(one) == value(other)
}
