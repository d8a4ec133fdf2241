//! The file of an import: checked whole, then read again to be sent.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Seek as _},
    marker::PhantomData,
    ops::{ControlFlow, Range},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use anyhow::{Context as _, Result, anyhow};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::{sync::mpsc, task::spawn_blocking};
use tongxin_files::{Choice, Columns, Fault, FileRow, Form, Found, Place, RowRead};

use crate::{
    lang::{lang, told},
    progress::Progress,
};

/// Maximum number of faults in an error message.
const FAULTS_NAMED: usize = 20;

/// Maximum number of lines of faulty rows that are kept for a file of rejects.
const LINES_KEPT: usize = 100_000;

/// A file with rows of a kind.
pub struct Source<Row> {
    path: PathBuf,
    form: Arc<Form>,
    choice: Choice,
    /// The file as it was checked.
    checked: Arc<OnceLock<Checked>>,
    of: PhantomData<fn() -> Row>,
}

/// What tells whether a file is still what was checked: another may have taken its name since, or it was written anew.
#[derive(Debug)]
struct Checked {
    file: File,
    changed: Option<SystemTime>,
    bytes: u64,
}

impl Checked {
    fn of(file: &File) -> io::Result<Self> {
        let meta = file.metadata()?;
        Ok(Self { file: file.try_clone()?, changed: meta.modified().ok(), bytes: meta.len() })
    }

    /// The file from its begin, if it was not written since.
    fn again(&self) -> io::Result<Option<File>> {
        let meta = self.file.metadata()?;
        if (meta.modified().ok(), meta.len()) != (self.changed, self.bytes) {
            return Ok(None);
        }
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(Some(file))
    }
}

impl<Row> Clone for Source<Row> {
    fn clone(&self) -> Self {
        Self {
            path: self.path.clone(),
            form: Arc::clone(&self.form),
            choice: self.choice.clone(),
            checked: Arc::clone(&self.checked),
            of: PhantomData,
        }
    }
}

/// The content of a file, checked before anything is sent.
pub struct Content {
    pub lines: Lines,
    pub columns: Columns,
    pub hash: [u8; 32],
}

/// Why a file is not sent.
#[derive(Debug)]
pub struct Invalid {
    /// The first faults.
    pub faults: Vec<Fault>,
    /// Number of all.
    pub count: usize,
    /// The lines of all rows with a fault, with what is wrong with each that is.
    pub by_line: BTreeMap<u64, String>,
    /// Whether these are not all.
    pub is_cut: bool,
}

impl Invalid {
    fn of(faults: Vec<Fault>) -> Self {
        Self { count: faults.len(), faults, by_line: BTreeMap::new(), is_cut: false }
    }

    /// Adds the lines of a row with a fault: it is mended as a whole.
    fn add_lines(&mut self, fault: &Fault, of_row: Vec<u64>) {
        if self.by_line.len() >= LINES_KEPT {
            self.is_cut = true;
            return;
        }
        for line in of_row {
            self.by_line.entry(line).or_default();
        }
        let said = self.by_line.entry(fault.place.line).or_default();
        said.push_str(if said.is_empty() { "" } else { "; " });
        let column = Place { line: 0, sheet: None, ..fault.place.clone() };
        said.push_str(&Fault { place: column, found: fault.found.clone() }.say(lang()));
    }

    /// For programs: the first faults.
    pub fn json(&self) -> Value {
        let faults = self.faults.iter().map(|Fault { place, found }| {
            let Place { sheet, line, column } = place;
            json!({"sheet": sheet.as_deref(), "line": line, "column": column.as_deref(), "message": found.say(lang())})
        });
        json!({"sent": false, "count": self.count, "faults": faults.collect::<Vec<_>>()})
    }

    /// As an error that names the first faults.
    pub fn told(&self) -> anyhow::Error {
        let said: Vec<_> = self.faults.iter().map(|fault| fault.say(lang())).collect();
        match said.as_slice() {
            [only] if self.count == 1 => {
                let end = if only.ends_with(['?', '？']) { "" } else { lang().of(".", "。") };
                anyhow!(told!("{only}{end} Nothing was sent", "{only}{end}没有提交任何内容"))
            }
            several => {
                let more = match self.count - several.len() {
                    0 => String::new(),
                    more => told!("\n  and {more} more", "\n  另有 {more} 处"),
                };
                let lines = several.join("\n  ");
                anyhow!(told!(
                    "nothing was sent, because of\n  {lines}{more}",
                    "没有提交任何内容，原因：\n  {lines}{more}"
                ))
            }
        }
    }
}

impl<Row: FileRow> Source<Row> {
    pub fn new(path: &Path, choice: Choice) -> Self {
        let form = Arc::new(Form::of::<Row>());
        Self { path: path.to_owned(), form, choice, checked: Arc::default(), of: PhantomData }
    }

    /// Reads the whole file once.
    pub async fn check(&self) -> Result<Result<Content, Invalid>> {
        let source = self.clone();
        Ok(spawn_blocking(move || source.checked()).await?)
    }

    fn checked(&self) -> Result<Content, Invalid> {
        let progress = Progress::begin(told!("reading the file", "正在读取文件"), None);
        let (mut lines, mut hasher) = (Lines::default(), Sha256::new());
        let mut invalid = Invalid::of(Vec::new());
        let file = tongxin_files::open(&self.path).map_err(|fault| Invalid::of(vec![fault]))?;
        let unreadable = |error: io::Error| Fault { place: Place::default(), found: Found::Unreadable(error.kind()) };
        let of_file = Checked::of(&file).map_err(|error| Invalid::of(vec![unreadable(error)]))?;
        let columns = tongxin_files::read::<Row>(file, &self.form, &self.choice, &mut |read| {
            match read {
                RowRead::Row(row) => {
                    hasher.update(row.message.encode_length_delimited_to_vec());
                    lines.add(&row.lines);
                }
                RowRead::Fault { fault, lines: of_row } => {
                    invalid.count += 1;
                    invalid.add_lines(&fault, of_row);
                    if invalid.faults.len() < FAULTS_NAMED {
                        invalid.faults.push(fault);
                    }
                }
            }
            progress.reach(lines.rows() as u64);
            ControlFlow::Continue(())
        });
        progress.dismiss();
        let columns = columns.map_err(Invalid::of)?;
        if invalid.count > 0 {
            return Err(invalid);
        }
        let _ = self.checked.set(of_file);
        Ok(Content { lines, columns, hash: hasher.finalize().into() })
    }

    /// Sends the rows of a range, as messages of so many, from a thread that may block. `message` makes one of the number of
    /// its first row and its rows.
    pub async fn send<Request: Send + 'static>(
        &self,
        (range, per_message): (Range<usize>, usize),
        message: fn(i64, Vec<Row>) -> Request,
        messages: mpsc::Sender<Request>,
    ) -> Result<()> {
        let source = self.clone();
        spawn_blocking(move || source.sent((range, per_message), message, &messages)).await?
    }

    fn sent<Request>(
        &self,
        (range, per_message): (Range<usize>, usize),
        message: fn(i64, Vec<Row>) -> Request,
        messages: &mpsc::Sender<Request>,
    ) -> Result<()> {
        let (mut passed, mut first_row) = (0, i64::try_from(range.start)? + 1);
        let mut rows = Vec::with_capacity(per_message);
        let mut is_read = true;
        let mut send = |rows: &mut Vec<Row>| {
            let count = i64::try_from(rows.len()).unwrap_or_default();
            let message = message(first_row, std::mem::take(rows));
            first_row += count;
            // If the server no longer reads, its response says why.
            messages.blocking_send(message).is_ok()
        };
        let changed = || told!("{} changed meanwhile", "{} 在导入期间被改动", self.path.display());
        let file = match self.checked.get() {
            Some(checked) => checked.again()?.with_context(changed)?,
            None => tongxin_files::open(&self.path).map_err(|fault| anyhow!(fault.say(lang())))?,
        };
        let read = tongxin_files::read::<Row>(file, &self.form, &self.choice, &mut |read| {
            let RowRead::Row(row) = read else {
                is_read = false;
                return ControlFlow::Break(());
            };
            passed += 1;
            if passed <= range.start {
                return ControlFlow::Continue(());
            }
            if passed > range.end {
                return ControlFlow::Break(());
            }
            rows.push(row.message);
            if rows.len() == per_message && !send(&mut rows) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if let Err(faults) = read {
            return Err(anyhow!(faults.first().map(|fault| fault.say(lang())).unwrap_or_default()))
                .with_context(changed);
        }
        if !is_read {
            return Err(anyhow!(changed()));
        }
        if !rows.is_empty() {
            send(&mut rows);
        }
        Ok(())
    }

    /// Writes lines with what is wrong with each into a file.
    pub async fn write_rejects(&self, to: &Path, reasons: BTreeMap<u64, String>) -> Result<usize> {
        let (source, to) = (self.clone(), to.to_owned());
        let written = spawn_blocking(move || {
            tongxin_files::rejects((&source.path, &to), &source.form, &source.choice, &reasons, lang())
                .with_context(|| to.display().to_string())
        });
        written.await?
    }
}

/// Where each row of a file stands: four bytes a line, and four a row where rows have several.
#[derive(Debug, Default)]
pub struct Lines {
    sheet: Option<Arc<str>>,
    /// Number of each line.
    numbers: Vec<u32>,
    /// The place in `numbers` of the first line of each row; empty while each row has one line.
    begins: Vec<u32>,
    rows: usize,
}

impl Lines {
    fn add(&mut self, lines: &[Place]) {
        let at = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        if self.begins.is_empty() && lines.len() != 1 {
            self.begins = (0..at(self.rows)).collect();
        }
        if !self.begins.is_empty() || lines.len() != 1 {
            self.begins.push(at(self.numbers.len()));
        }
        if self.rows == 0 {
            self.sheet = lines.first().and_then(|place| place.sheet.clone());
        }
        self.numbers.extend(lines.iter().map(|place| u32::try_from(place.line).unwrap_or(u32::MAX)));
        self.rows += 1;
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The lines of a row, from 1.
    pub fn of_row(&self, row: i64) -> &[u32] {
        let Some(index) = usize::try_from(row).ok().and_then(|row| row.checked_sub(1)) else { return &[] };
        let begin = |index: usize| match self.begins.get(index) {
            Some(begin) => *begin as usize,
            None if self.begins.is_empty() => index,
            None => self.numbers.len(),
        };
        self.numbers.get(begin(index)..begin(index + 1)).unwrap_or_default()
    }

    /// Where a field of a row stands, as `line 4, column 身份证号`.
    pub fn place(&self, columns: &Columns, row: i64, field: &str) -> Place {
        let (column, line) = columns.of_field(field);
        let lines = self.of_row(row);
        let line = lines.get(line).or_else(|| lines.first()).copied().unwrap_or_default();
        Place { sheet: self.sheet.clone(), line: line.into(), column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: u64) -> Place {
        Place { line, ..Place::default() }
    }

    #[test]
    fn the_lines_of_a_row_are_found_whether_rows_have_one_or_several() {
        let mut lines = Lines::default();
        lines.add(&[place(2)]);
        lines.add(&[place(4)]);
        assert_eq!((lines.of_row(1), lines.of_row(2), lines.of_row(3)), (&[2][..], &[4][..], &[][..]));
        lines.add(&[place(5), place(7)]);
        lines.add(&[place(8)]);
        assert_eq!([1, 2, 3, 4].map(|row| lines.of_row(row)), [&[2][..], &[4], &[5, 7], &[8]]);
        assert_eq!((lines.rows(), lines.of_row(0), lines.of_row(5)), (4, &[][..], &[][..]));
    }
}
