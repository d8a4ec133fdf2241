//! Looks through a workbook before anything of it is kept in memory: how much it inflates to, how many elements it has
//! and how deep they stand within each other. Memory is bounded whatever the file holds.

use std::io::{Read, Seek, SeekFrom};

use zip::{ZipArchive, result::ZipError};

use super::{unreadable, whole};
use crate::fault::{Fault, Found, Limit};

/// The most bytes of a workbook.
const BYTES: u64 = 256 << 20;

/// The most entries of its archive.
const ENTRIES: u64 = 2_000;

/// The most bytes that its sheets inflate to; they are read piece by piece.
const INFLATED: u64 = 2 << 30;

/// The most bytes that anything else inflates to: it is kept in memory.
const KEPT: u64 = 80 << 20;

/// The most cells, of all sheets together.
const CELLS: u64 = 50_000_000;

/// The most elements within each other.
const DEPTH: u64 = 100;

/// The most bytes of one element or text: each is in memory at once.
const ELEMENT: u64 = 1 << 20;

/// The most merged regions.
const MERGES: u64 = 100_000;

/// The least size of the record that ends an archive, and the most text that may stand after it.
const END: u64 = 22;
const COMMENT: u64 = 0xffff;

/// Refuses a workbook that is larger than any real one, before its archive is opened.
///
/// # Errors
/// Which limit it passes, or that it is no archive.
pub(super) fn check<R: Read + Seek>(file: &mut R) -> Result<Checked, Fault> {
    let bytes = file.seek(SeekFrom::End(0)).map_err(|error| unreadable(&error))?;
    within(bytes, BYTES, Limit::Bytes)?;
    within(stated_entries(file, bytes)?, ENTRIES, Limit::Entries)?;
    let mut archive = ZipArchive::new(&mut *file).map_err(|error| of_archive(&error))?;
    let (mut inflated, mut kept) = (0, 0);
    let mut checked = Checked::default();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| of_archive(&error))?;
        let name = entry.name().map_err(|error| of_archive(&error))?.to_ascii_lowercase();
        if !["xml", "rels"].iter().any(|end| name.ends_with(end)) {
            continue;
        }
        let is_sheet = name.contains("worksheets/");
        let (sum, most) = if is_sheet { (&mut inflated, INFLATED) } else { (&mut kept, KEPT) };
        let mut elements = Elements::default();
        let mut buffer = vec![0; 32 << 10];
        loop {
            let read = entry.read(&mut buffer).map_err(|_| whole(Found::Workbook("its archive is damaged")))?;
            if read == 0 {
                break;
            }
            *sum += read as u64;
            within(*sum, most, if is_sheet { Limit::Inflated } else { Limit::SharedStrings })?;
            elements.read(&buffer[..read])?;
        }
        checked.cells += elements.cells;
        checked.merges += elements.merges;
        within(checked.cells, CELLS, Limit::Cells)?;
        within(checked.merges, MERGES, Limit::Merges)?;
    }
    file.rewind().map_err(|error| unreadable(&error))?;
    Ok(checked)
}

/// What a workbook has.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checked {
    pub cells: u64,
    pub merges: u64,
}

fn within(found: u64, most: u64, of: Limit) -> Result<(), Fault> {
    if found > most { Err(whole(Found::TooMuch { of, most })) } else { Ok(()) }
}

fn of_archive(error: &ZipError) -> Fault {
    whole(match error {
        ZipError::Io(error) => Found::Unreadable(error.kind()),
        ZipError::UnsupportedArchive(_) => Found::NotAWorkbook,
        _ => Found::Workbook("its archive is damaged"),
    })
}

/// The number of entries that the end of an archive states: opening it makes a record of each.
fn stated_entries<R: Read + Seek>(file: &mut R, bytes: u64) -> Result<u64, Fault> {
    let begin = bytes.saturating_sub(END + COMMENT);
    file.seek(SeekFrom::Start(begin)).map_err(|error| unreadable(&error))?;
    let mut tail = Vec::new();
    file.take(END + COMMENT).read_to_end(&mut tail).map_err(|error| unreadable(&error))?;
    file.rewind().map_err(|error| unreadable(&error))?;
    let mut ends = tail.windows(12).enumerate().filter(|(_, window)| window.starts_with(b"PK\x05\x06"));
    let (_, end) = ends.next_back().ok_or_else(|| whole(Found::Workbook("its archive has no end")))?;
    Ok(u64::from(u16::from_le_bytes([end[10], end[11]])))
}

/// The longest name of an element or attribute that is looked at.
const NAME: usize = 10;

/// The most letters and digits in a row in the place of a cell, such as `XFD1048576`.
const LETTERS: usize = 3;
const DIGITS: usize = 7;

/// Counts the elements of XML, byte by byte, without keeping any.
#[derive(Debug, Default)]
struct Elements {
    state: State,
    depth: u64,
    /// Bytes of the element or text that is being read.
    length: u64,
    element: Name,
    attribute: Name,
    cells: u64,
    merges: u64,
}

/// The begin of a name; a longer one is none of those that are looked for.
#[derive(Debug, Default, Clone, Copy)]
struct Name {
    bytes: [u8; NAME],
    length: usize,
}

impl Name {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
        }
        self.length += 1;
    }

    fn whole(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Without its prefix: `x:c` is `c`.
    fn is(&self, name: &[u8]) -> bool {
        self.whole().rsplit(|byte| *byte == b':').next() == Some(name)
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After `<`.
    Begin,
    /// In the name of an element that begins.
    Element,
    /// Between its attributes, with whether the byte before was `/`.
    Attributes { is_closing: bool },
    /// In the value of an attribute, with the letters and digits in a row if it is the place of a cell.
    Value { quote: u8, letters: usize, digits: usize },
    /// In `</...>`.
    Close,
    /// After `<!`, with what follows so far.
    Declared { so_far: [u8; 7], length: usize },
    /// In a comment, with the number of `-` at its end.
    Comment { dashes: u8 },
    /// In character data, with the number of `]` at its end.
    Data { brackets: u8 },
    /// In `<?...?>`, with whether the last byte was `?`.
    Instruction { is_ending: bool },
}

impl Elements {
    fn read(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        for byte in bytes {
            self.step(*byte)?;
            within(self.length, ELEMENT, Limit::Element)?;
        }
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Result<(), Fault> {
        self.length += 1;
        self.state = match self.state {
            State::Text if byte == b'<' => self.turn(State::Begin),
            State::Text => State::Text,
            State::Begin => match byte {
                b'/' => State::Close,
                b'!' => State::Declared { so_far: [0; 7], length: 0 },
                b'?' => State::Instruction { is_ending: false },
                byte => {
                    self.element = Name::default();
                    self.element.push(byte);
                    State::Element
                }
            },
            State::Element => match byte {
                b'>' => self.began(false)?,
                b'/' => State::Attributes { is_closing: true },
                byte if byte.is_ascii_whitespace() => {
                    self.attribute = Name::default();
                    State::Attributes { is_closing: false }
                }
                byte => {
                    self.element.push(byte);
                    State::Element
                }
            },
            State::Attributes { is_closing } => match byte {
                b'>' => self.began(is_closing)?,
                b'"' | b'\'' => State::Value { quote: byte, letters: 0, digits: 0 },
                byte => {
                    if byte.is_ascii_whitespace() {
                        self.attribute = Name::default();
                    } else if byte != b'=' {
                        self.attribute.push(byte);
                    }
                    State::Attributes { is_closing: byte == b'/' }
                }
            },
            State::Value { quote, letters, digits } => self.value(byte, quote, (letters, digits))?,
            State::Close if byte == b'>' => {
                self.depth = self.depth.saturating_sub(1);
                self.turn(State::Text)
            }
            State::Close => State::Close,
            State::Declared { so_far, length } => self.declared(byte, so_far, length),
            State::Comment { dashes } => match byte {
                b'>' if dashes >= 2 => self.turn(State::Text),
                b'-' => State::Comment { dashes: dashes.saturating_add(1) },
                _ => State::Comment { dashes: 0 },
            },
            State::Data { brackets } => match byte {
                b'>' if brackets >= 2 => self.turn(State::Text),
                b']' => State::Data { brackets: brackets.saturating_add(1) },
                _ => State::Data { brackets: 0 },
            },
            State::Instruction { is_ending } => match byte {
                b'>' if is_ending => self.turn(State::Text),
                byte => State::Instruction { is_ending: byte == b'?' },
            },
        };
        Ok(())
    }

    /// The places of cells are computed by whoever reads them: with more letters or digits that overflows.
    fn value(&mut self, byte: u8, quote: u8, (letters, digits): (usize, usize)) -> Result<State, Fault> {
        if byte == quote {
            self.attribute = Name::default();
            return Ok(State::Attributes { is_closing: false });
        }
        let letters = if byte.is_ascii_alphabetic() { letters + 1 } else { 0 };
        let digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        let is_place = [&b"r"[..], b"ref"].contains(&self.attribute.whole());
        if is_place && (letters > LETTERS || digits > DIGITS) {
            return Err(whole(Found::Workbook("a cell has a place that no sheet has")));
        }
        Ok(State::Value { quote, letters, digits })
    }

    fn declared(&mut self, byte: u8, mut so_far: [u8; 7], length: usize) -> State {
        if let Some(place) = so_far.get_mut(length) {
            *place = byte;
        }
        match &so_far[..(length + 1).min(7)] {
            b"--" => State::Comment { dashes: 0 },
            b"[CDATA[" => State::Data { brackets: 0 },
            _ if byte == b'>' => self.turn(State::Text),
            _ => State::Declared { so_far, length: (length + 1).min(7) },
        }
    }

    /// A text or element begins.
    fn turn(&mut self, state: State) -> State {
        self.length = 0;
        state
    }

    /// An element has begun, or is whole.
    fn began(&mut self, is_closed: bool) -> Result<State, Fault> {
        self.cells += u64::from(self.element.is(b"c"));
        self.merges += u64::from(self.element.is(b"mergeCell"));
        if !is_closed {
            self.depth += 1;
            within(self.depth, DEPTH, Limit::Nesting)?;
        }
        Ok(self.turn(State::Text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(xml: &str) -> Result<Elements, Fault> {
        let mut elements = Elements::default();
        // Whatever the pieces in which it comes.
        for piece in xml.as_bytes().chunks(3) {
            elements.read(piece)?;
        }
        Ok(elements)
    }

    #[test]
    fn cells_and_merged_regions_are_counted() {
        let xml = "<?xml version=\"1.0\"?><sheet><row><c r=\"A1\"><v>1</v></c><c/><x:c a='>'/><cols/></row>\
                   <mergeCells><mergeCell ref=\"A1:B1\"/></mergeCells><!-- <c> ]]> -- > --><![CDATA[<c></c>]]></sheet>";
        let read = elements(xml).unwrap();
        assert_eq!((read.cells, read.merges, read.depth), (3, 1, 0));
    }

    #[test]
    fn a_cell_has_a_place_that_a_sheet_has() {
        for place in ["A1", "XFD1048576", "A1:XFD1048576"] {
            assert!(elements(&format!("<c r=\"{place}\" s='1' x=\"AAAAAAAA99999999\"/>")).is_ok(), "{place}");
        }
        for place in ["AAAA1", "A99999999"] {
            assert!(elements(&format!("<c t=\"s\" r=\"{place}\"/>")).is_err(), "{place}");
            assert!(elements(&format!("<mergeCell ref='A1:{place}'/>")).is_err(), "{place}");
        }
    }

    #[test]
    fn nesting_and_long_elements_are_refused() {
        let deep = |count| elements(&"<a>".repeat(count)).err().map(|fault| fault.found);
        assert_eq!(deep(100), None);
        assert_eq!(deep(101), Some(Found::TooMuch { of: Limit::Nesting, most: 100 }));
        assert!(elements(&format!("{}{}", "<a></a>".repeat(1_000), "<b/>".repeat(1_000))).is_ok());
        // A comment hides no end of an element.
        let hidden = "<a><!--</a>--><!--</a>-->".repeat(101);
        assert!(elements(&hidden).is_err());
        let long = format!("<a>{}</a>", "x".repeat(2 << 20));
        assert_eq!(elements(&long).unwrap_err().found, Found::TooMuch { of: Limit::Element, most: ELEMENT });
    }
}
