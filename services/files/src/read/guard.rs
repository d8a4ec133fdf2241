//! Looks through a workbook before anything of it is kept in memory: how much it inflates to, how many elements it has
//! and how deep they stand within each other. Memory is bounded whatever the file holds.

use std::{
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    ops::Range,
};

use zip::{ZipArchive, result::ZipError};

use super::line::{unreadable, whole};
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

/// The most bytes of one cell or shared text with all of its parts, which are put together in memory.
const WHOLE_TEXT: u64 = 24 << 20;

/// The most texts, formats and names that are kept: each costs more memory than its bytes.
const RECORDS: u64 = 2_000_000;

/// The most merged regions.
const MERGES: u64 = 100_000;

/// The least size of the record that ends an archive, and the most text that may stand after it.
const MAGIC: &[u8] = b"PK\x05\x06";
const END: u64 = 22;

/// The size of the record before it in archives of more than 4 GiB.
const LOCATOR: u64 = 20;
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
    let (mut inflated, mut kept, mut records) = (0, 0, 0);
    let mut checked = Checked::default();
    let mut buffer = vec![0; 32 << 10];
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| of_archive(&error))?;
        // What an entry is shows by its content: names are chosen by who made the file.
        let mut elements = None::<Elements>;
        loop {
            let read = entry.read(&mut buffer).map_err(|_| whole(Found::Workbook("its archive is damaged")))?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            if elements.is_none() && !is_xml(bytes) {
                break;
            }
            let elements = elements.get_or_insert_default();
            elements.read(bytes)?;
            // Sheets are read piece by piece, all else is kept.
            if elements.is_sheet() {
                inflated += read as u64;
                within(inflated, INFLATED, Limit::Inflated)?;
            } else {
                kept += read as u64;
                within(kept, KEPT, Limit::SharedStrings)?;
            }
        }
        let Some(elements) = elements else {
            let begin = entry.data_start().ok_or_else(|| whole(Found::Workbook("its archive is damaged")))?;
            checked.closed.push(begin..begin.saturating_add(entry.compressed_size()));
            continue;
        };
        records += elements.records;
        within(records, RECORDS, Limit::Records)?;
        checked.cells += elements.cells;
        checked.merges += elements.merges;
        within(checked.cells, CELLS, Limit::Cells)?;
        within(checked.merges, MERGES, Limit::Merges)?;
    }
    file.rewind().map_err(|error| unreadable(&error))?;
    Ok(checked)
}

/// What a workbook has.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub cells: u64,
    pub merges: u64,
    /// Where the entries are whose elements were not counted, since they do not begin as XML does.
    closed: Vec<Range<u64>>,
}

impl Checked {
    /// The file without the entries whose elements were not counted: whoever reads workbooks may take for XML what does
    /// not begin so.
    pub fn fence<R: Read + Seek>(&self, mut file: R) -> io::Result<Fenced<R>> {
        let end = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        Ok(Fenced { file, position: 0, closed: self.closed.clone(), tail: end.saturating_sub(END + COMMENT) })
    }
}

/// A file some ranges of which are not read.
#[derive(Debug)]
pub(super) struct Fenced<R> {
    file: R,
    position: u64,
    closed: Vec<Range<u64>>,
    /// From here on the end of the archive is looked for: closed ranges are zeros there.
    tail: u64,
}

impl<R: Read + Seek> Read for Fenced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let is_closed = |range: &&Range<u64>| range.contains(&self.position);
        let ends = self.closed.iter().filter(|range| !range.is_empty());
        let closed = ends.clone().find(is_closed);
        // Not into the next closed range, and not beyond this one.
        let until = match closed {
            Some(range) => range.end,
            None => ends.map(|range| range.start).filter(|start| *start > self.position).min().unwrap_or(u64::MAX),
        };
        let most = usize::try_from(until - self.position).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = &mut buffer[..most];
        let read = match closed {
            None => self.file.read(buffer)?,
            Some(_) if self.position < self.tail => {
                return Err(io::Error::new(ErrorKind::InvalidData, "a part that is no XML"));
            }
            Some(_) => {
                buffer.fill(0);
                self.file.seek(SeekFrom::Current(i64::try_from(most).map_err(io::Error::other)?))?;
                most
            }
        };
        self.position += read as u64;
        Ok(read)
    }
}

impl<R: Read + Seek> Seek for Fenced<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.file.seek(to)?;
        Ok(self.position)
    }
}

fn is_xml(begin: &[u8]) -> bool {
    let begin = begin.strip_prefix(b"\xef\xbb\xbf").unwrap_or(begin);
    begin.trim_ascii_start().starts_with(b"<") || begin.starts_with(b"\xff\xfe") || begin.starts_with(b"\xfe\xff")
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

/// The most entries that any end of the archive states: opening it makes a record of each, and which end that takes is its
/// own affair. A random match within the content is told by what stands where its directory should.
fn stated_entries<R: Read + Seek>(file: &mut R, bytes: u64) -> Result<u64, Fault> {
    let mut most = None;
    for end in ends(file)? {
        let read = |file: &mut R, at: u64, buffer: &mut [u8]| -> Result<(), Fault> {
            file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(buffer)).map_err(|error| unreadable(&error))
        };
        if end + END > bytes {
            continue;
        }
        let mut record = [0; 22];
        read(file, end, &mut record)?;
        if let Some(locator) = end.checked_sub(LOCATOR) {
            let mut begin = [0; 4];
            read(file, locator, &mut begin)?;
            if begin == *b"PK\x06\x07" {
                return Err(whole(Found::Workbook("its archive is of a kind for larger files")));
            }
        }
        let number =
            |at: usize| u64::from(u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]));
        let (size, stated) = (number(12), number(16));
        let entries = u64::from(u16::from_le_bytes([record[10], record[11]]));
        let mut is_directory = entries == 0;
        for begin in [end.checked_sub(size), Some(stated)].into_iter().flatten().filter(|begin| begin + 4 <= bytes) {
            let mut found = [0; 4];
            read(file, begin, &mut found)?;
            is_directory |= found == *b"PK\x01\x02";
        }
        if is_directory {
            most = most.max(Some(entries));
        }
    }
    file.rewind().map_err(|error| unreadable(&error))?;
    most.ok_or_else(|| whole(Found::Workbook("its archive has no end")))
}

/// Where an end of the archive may stand.
fn ends<R: Read + Seek>(file: &mut R) -> Result<Vec<u64>, Fault> {
    file.rewind().map_err(|error| unreadable(&error))?;
    let (mut ends, mut position) = (Vec::new(), 0);
    let mut buffer = vec![0; 64 << 10];
    let mut held = 0;
    loop {
        let read = file.read(&mut buffer[held..]).map_err(|error| unreadable(&error))?;
        if read == 0 {
            return Ok(ends);
        }
        let bytes = &buffer[..held + read];
        let found = bytes.windows(MAGIC.len()).enumerate().filter(|(_, window)| *window == MAGIC);
        ends.extend(found.map(|(at, _)| position + at as u64));
        within(ends.len() as u64, ENTRIES, Limit::Entries)?;
        // One may begin in this piece and end in the next.
        let kept = bytes.len().min(MAGIC.len() - 1);
        let begin = bytes.len() - kept;
        position += begin as u64;
        buffer.copy_within(begin..begin + kept, 0);
        held = kept;
    }
}

/// The longest name of an element or attribute that is looked at.
const NAME: usize = 12;

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
    /// Bytes since the last cell or shared text began.
    text: u64,
    /// The first element, which says what the entry is.
    root: Name,
    element: Name,
    attribute: Name,
    cells: u64,
    merges: u64,
    records: u64,
}

/// What is kept of each, whether in texts, formats or the list of sheets.
const KEPT_EACH: [&[u8]; 7] = [b"si", b"xf", b"numFmt", b"definedName", b"sheet", b"Relationship", b"cellStyle"];

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
    /// Between its attributes, with whether the byte before was `/`, and whether a name has ended.
    Attributes { is_closing: bool, is_named: bool },
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
        self.text += bytes.len() as u64;
        within(self.text, WHOLE_TEXT, Limit::Element)
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
                b'/' => State::Attributes { is_closing: true, is_named: false },
                byte if byte.is_ascii_whitespace() => {
                    self.attribute = Name::default();
                    State::Attributes { is_closing: false, is_named: false }
                }
                byte => {
                    self.element.push(byte);
                    State::Element
                }
            },
            State::Attributes { is_closing, is_named } => match byte {
                b'>' => self.began(is_closing)?,
                b'"' | b'\'' => State::Value { quote: byte, letters: 0, digits: 0 },
                // The name of an attribute may have spaces after it.
                byte if byte.is_ascii_whitespace() => State::Attributes { is_closing: false, is_named: true },
                b'=' => State::Attributes { is_closing: false, is_named: false },
                byte => {
                    if is_named {
                        self.attribute = Name::default();
                    }
                    self.attribute.push(byte);
                    State::Attributes { is_closing: byte == b'/', is_named: false }
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
            return Ok(State::Attributes { is_closing: false, is_named: false });
        }
        let letters = if byte.is_ascii_alphabetic() { letters + 1 } else { 0 };
        let digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        let is_place = self.is_sheet() && [&b"r"[..], b"ref"].contains(&self.attribute.whole());
        // Whoever reads shared texts makes room for as many as are stated.
        let is_count = [&b"count"[..], b"uniqueCount"].contains(&self.attribute.whole());
        if is_place && letters > LETTERS || (is_place || is_count) && digits > DIGITS {
            return Err(whole(Found::Workbook("it states a place or a number that no sheet has")));
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

    /// Whether the entry is a sheet.
    fn is_sheet(&self) -> bool {
        self.root.is(b"worksheet")
    }

    /// An element has begun, or is whole.
    fn began(&mut self, is_closed: bool) -> Result<State, Fault> {
        if self.root.length == 0 {
            self.root = self.element;
        }
        let is_shared = [&b"si"[..], b"xf", b"Relationship", b"sheet"].iter().any(|name| self.element.is(name));
        if is_shared && self.is_sheet() {
            return Err(whole(Found::Workbook("a sheet holds what belongs beside it")));
        }
        if self.element.is(b"c") || self.element.is(b"si") {
            self.text = 0;
        }
        self.cells += u64::from(self.element.is(b"c"));
        self.merges += u64::from(self.element.is(b"mergeCell"));
        self.records += u64::from(KEPT_EACH.iter().any(|name| self.element.is(name)));
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
        let xml = "<?xml version=\"1.0\"?><worksheet><row><c r=\"A1\"><v>1</v></c><c/><x:c a='>'/><cols/></row>\
                   <mergeCells><mergeCell ref=\"A1:B1\"/></mergeCells><!-- <c> ]]> -- > --><![CDATA[<c></c>]]></worksheet>";
        let read = elements(xml).unwrap();
        assert_eq!((read.cells, read.merges, read.depth), (3, 1, 0));
    }

    #[test]
    fn a_cell_has_a_place_that_a_sheet_has() {
        for place in ["A1", "XFD1048576", "A1:XFD1048576"] {
            let sheet = format!("<worksheet><c r=\"{place}\" s='1' x=\"AAAAAAAA99999999\"/>");
            assert!(elements(&sheet).is_ok(), "{place}");
        }
        for place in ["AAAA1", "A99999999"] {
            assert!(elements(&format!("<worksheet><c t=\"s\" r =\"{place}\"/>")).is_err(), "{place}");
            assert!(elements(&format!("<worksheet><mergeCell ref='A1:{place}'/>")).is_err(), "{place}");
            assert!(elements(&format!("<xsd:schema><xsd:element ref='{place}'/>")).is_ok(), "{place}");
        }
    }

    #[test]
    fn numbers_that_make_others_reserve_memory_are_bounded() {
        assert!(elements("<sst count=\"20000\" uniqueCount=\"9000000\">").is_ok());
        assert!(elements("<sst uniqueCount=\"100000000000\">").is_err());
        let runs = format!("<sst><si>{}</si></sst>", "<r><t>xxxxxxxxxxxxxxxx</t></r>".repeat(1 << 20));
        assert_eq!(elements(&runs).unwrap_err().found, Found::TooMuch { of: Limit::Element, most: WHOLE_TEXT });
        assert!(elements("<worksheet><si></si>").is_err());
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
