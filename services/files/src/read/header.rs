//! Which column of a file states which column of the contract.

use std::sync::Arc;

use super::{
    csv::BEFORE_HEADER,
    line::{Choice, Line, letters},
};
use crate::{
    fault::{Fault, Found},
    form::{Form, is_remark},
    lang::Lang,
};

/// The header of a file.
#[derive(Debug)]
pub(super) struct Header {
    /// For each column of the file: that of the form, and its heading as the file has it or its letters.
    pub columns: Vec<(Option<usize>, Arc<str>)>,
    /// Number of columns with a heading.
    pub width: usize,
    headings: Vec<String>,
}

/// The search for the header.
#[derive(Debug, Default)]
pub(super) struct Search {
    passed: usize,
}

impl Search {
    /// The header, if this line is it. Titles and remarks may stand before it: lines without a heading that is known.
    pub fn look(&mut self, line: &Line, form: &Form, choice: &Choice) -> Result<Option<Header>, Vec<Fault>> {
        let headings: Vec<_> = line.cells.iter().map(crate::cell::Cell::heading).collect();
        if headings.iter().any(|heading| form.find(heading).is_some()) {
            return Header::of(line, headings, form, choice).map(Some);
        }
        if !line.is_empty() {
            self.passed += 1;
        }
        if self.passed > BEFORE_HEADER { Err(vec![missing(line, form)]) } else { Ok(None) }
    }
}

/// There is no header up to this line.
pub(super) fn missing(line: &Line, form: &Form) -> Fault {
    let place = crate::fault::Place { sheet: line.place.sheet.clone(), ..Default::default() };
    Fault { place, found: Found::NoHeader { needed: form.needed().map(both).collect() } }
}

impl Header {
    fn of(line: &Line, headings: Vec<String>, form: &Form, choice: &Choice) -> Result<Self, Vec<Fault>> {
        let (mut faults, mut unknown) = (Vec::new(), Vec::new());
        let mut columns: Vec<(Option<usize>, Arc<str>)> = Vec::new();
        for (at, heading) in headings.iter().enumerate() {
            if heading.is_empty() {
                columns.push((None, letters(at)));
                continue;
            }
            let heading: Arc<str> = heading.as_str().into();
            if is_remark(&heading) {
                columns.push((None, heading));
                continue;
            }
            let found = form.find(&heading);
            let twice = found.and_then(|found| columns.iter().find(|(column, _)| *column == Some(found)));
            if let Some((_, other)) = twice {
                let found = Found::HeadingTwice((*other != heading).then(|| other.to_string()));
                faults.push(Fault { place: line.place.column(Arc::clone(&heading)), found });
            }
            if found.is_none() {
                unknown.push((at, heading.to_string()));
            }
            columns.push((found, heading));
        }
        for (column, ..) in line.merged.iter().filter(|(column, last, _)| last > column) {
            let named = columns.get(*column).map_or_else(|| letters(*column), |(_, name)| Arc::clone(name));
            faults.push(Fault { place: line.place.column(named), found: Found::MergedHeading });
        }
        let has = |wanted: usize| columns.iter().any(|(column, _)| *column == Some(wanted));
        let lacks = form.columns.iter().enumerate().filter(|(index, column)| !column.optional && !has(*index));
        let lacks: Vec<_> = lacks.map(|(_, column)| both(column)).collect();
        // A line that lacks headings may be about people: what it says is not repeated.
        let is_header = lacks.is_empty();
        let named = |(at, heading): (usize, String)| if is_header { heading } else { letters(at).to_string() };
        let unknown: Vec<_> = unknown.into_iter().map(named).collect();
        if !lacks.is_empty() {
            faults.push(Fault { place: line.place.clone(), found: Found::Missing(lacks) });
        }
        if !unknown.is_empty() && !choice.ignore_unknown {
            let known = form.columns.iter().map(both).collect();
            faults.push(Fault { place: line.place.clone(), found: Found::Unknown { unknown, known } });
        }
        let width = headings.iter().rposition(|heading| !heading.is_empty()).map_or(0, |last| last + 1);
        if faults.is_empty() { Ok(Self { columns, width, headings }) } else { Err(faults) }
    }

    /// Whether a line is the header once more.
    pub fn is_again(&self, line: &Line) -> bool {
        let mut cells = line.cells.iter().map(crate::cell::Cell::heading);
        self.headings.iter().all(|heading| cells.next().unwrap_or_default() == *heading)
    }

    /// The name of a column of the file.
    pub fn name(&self, at: usize) -> Arc<str> {
        self.columns.get(at).map_or_else(|| letters(at), |(_, name)| Arc::clone(name))
    }

    /// The column of the file that states one of the form.
    pub fn place_of(&self, column: usize) -> Option<usize> {
        self.columns.iter().position(|(known, _)| *known == Some(column))
    }
}

/// A column by both of its headings.
fn both(column: &crate::form::Column) -> String {
    format!("{} ({})", column.heading(Lang::En), column.heading(Lang::Zh))
}
