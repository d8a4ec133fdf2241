//! What is wrong with a file, and where. Nothing here repeats what a cell says about a person.

use std::{fmt, io, sync::Arc};

use tongxin_proto::text::ControlCharacter;

use crate::lang::Lang;

/// Where something stands in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The sheet, if the file has sheets.
    pub sheet: Option<Arc<str>>,
    /// The line of the file or row of the sheet, from 1; 0 if it is about all of it.
    pub line: u64,
    /// The heading of the column, as the file has it, or its letters.
    pub column: Option<Arc<str>>,
}

impl Place {
    /// The same, in one column.
    #[must_use]
    pub fn column(&self, column: impl Into<Arc<str>>) -> Self {
        Self { column: Some(column.into()), ..self.clone() }
    }

    /// As people write it: `sheet 花名册, line 3, column 姓名`.
    #[must_use]
    pub fn say(&self, lang: Lang) -> String {
        let sheet = self.sheet.as_ref().map(|sheet| match lang {
            Lang::En => format!("sheet {sheet}"),
            Lang::Zh => format!("工作表“{sheet}”"),
        });
        let line = (self.line > 0).then(|| match lang {
            Lang::En => format!("line {}", self.line),
            Lang::Zh => format!("第 {} 行", self.line),
        });
        let column = self.column.as_ref().map(|column| match lang {
            Lang::En => format!("column {column}"),
            Lang::Zh => format!("“{column}”列"),
        });
        [sheet, line, column].into_iter().flatten().collect::<Vec<_>>().join(lang.of(", ", "，"))
    }
}

/// Something wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What.
    pub found: Found,
}

impl Fault {
    /// As a sentence with its place.
    #[must_use]
    pub fn say(&self, lang: Lang) -> String {
        let (place, found) = (self.place.say(lang), self.found.say(lang));
        if place.is_empty() { found } else { format!("{place}{}{found}", lang.of(": ", "：")) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.say(Lang::En))
    }
}

impl std::error::Error for Fault {}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The file cannot be read.
    Unreadable(io::ErrorKind),
    /// It has no content, or only white space.
    Empty,
    /// It is neither UTF-8 nor any other encoding that is known.
    Encoding,
    /// It ends in the middle of a character.
    CutOff,
    /// An old or protected workbook of Excel, or another kind of file.
    NotAWorkbook,
    /// A page or a document.
    OtherKind,
    /// What a spreadsheet writes beside a file that is open.
    LockFile,
    /// A ZIP file with something that no reader of workbooks takes.
    Workbook(&'static str),
    /// More of something than is taken.
    TooMuch {
        /// Of what.
        of: Limit,
        /// The most.
        most: u64,
    },
    /// There is no such sheet.
    NoSheet {
        /// Those that there are.
        sheets: Vec<String>,
    },
    /// No line has headings that are known.
    NoHeader {
        /// The columns that are needed.
        needed: Vec<String>,
    },
    /// The header lacks columns.
    Missing(Vec<String>),
    /// The header has columns that are unknown.
    Unknown {
        /// These.
        unknown: Vec<String>,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Two columns of the header mean the same. The other one, if it is called differently.
    HeadingTwice(Option<String>),
    /// A heading is merged over several columns.
    MergedHeading,
    /// A cell is merged with those of other lines.
    MergedCells {
        /// The last of these lines.
        until: u64,
    },
    /// A header, but no rows.
    NoRows,
    /// The header comes again.
    HeaderAgain,
    /// A quotation mark is never closed.
    QuoteOpen,
    /// A line has fewer fields than the header.
    Short {
        /// Its fields.
        fields: usize,
        /// Those of the header.
        needed: usize,
    },
    /// A line has little of what one needs.
    Sparse {
        /// The headings of the columns that it lacks.
        lacks: Vec<String>,
    },
    /// There is content in a column without a heading.
    Unnamed,
    /// A cell of a column that has to be filled is empty.
    NeedsValue,
    /// Lines of one row are put together by this, and it is empty.
    NoNumber,
    /// A control character.
    Control(ControlCharacter),
    /// A spreadsheet changed a number: exponent, apostrophe, `.0`, or more digits than it keeps.
    Changed,
    /// A date where a text is needed.
    IsDay,
    /// A number where a day is needed.
    IsNumber,
    /// No day.
    NotADay,
    /// No amount in yuan.
    NotYuan,
    /// No whole number.
    NotACount,
    /// Neither yes nor no.
    NotATruth,
    /// None of the words of a column.
    NotAWord {
        /// These, in both languages.
        words: Vec<(String, String)>,
    },
    /// Not like `accident:20000`.
    NotALoss,
    /// A formula whose result the file does not have.
    NoResult,
    /// A formula that failed, such as `#N/A`.
    Failed,
    /// A cell with more characters than a spreadsheet keeps.
    TooLong,
    /// What is about the whole row differs between its lines.
    Differs {
        /// The first line of the row.
        from: u64,
    },
    /// The same is stated twice.
    Twice {
        /// The line that states it first.
        first: u64,
    },
    /// A second head under one household number.
    SecondHead {
        /// The line of the first head.
        first: u64,
    },
    /// Not of the form that the column needs: its note, in English and Chinese.
    Form([String; 2]),
    /// It is a folder, or a pipe, which cannot be read twice.
    NotAFile,
    /// Other sheets have the headings, too.
    OtherSheets(Vec<String>),
    /// A rule of the contract, in its own words.
    Rule(String),
}

/// What there may be only so much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Bytes of a workbook.
    Bytes,
    /// Bytes of a workbook when inflated.
    Inflated,
    /// Entries of its archive.
    Entries,
    /// Cells.
    Cells,
    /// Texts that several cells share.
    SharedStrings,
    /// Texts and formats, whatever their size.
    Records,
    /// Elements within each other.
    Nesting,
    /// Bytes of one element or text.
    Element,
    /// Merged regions.
    Merges,
    /// Columns.
    Columns,
    /// Bytes of a line.
    Line,
    /// Lines of one household.
    Lines,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_where_it_is_in_both_languages() {
        let place = Place { sheet: Some("花名册".into()), line: 3, column: Some("姓名".into()) };
        let fault = Fault { place, found: Found::NeedsValue };
        assert_eq!(fault.to_string(), "sheet 花名册, line 3, column 姓名: is empty");
        assert_eq!(fault.say(Lang::Zh), "工作表“花名册”，第 3 行，“姓名”列：没有填写");
        assert_eq!(Fault { place: Place::default(), found: Found::Empty }.to_string(), "the file is empty");
        for (rule, zh) in [
            ("is required", "必填"),
            ("has 201 characters, 200 are allowed", "有 201 个，最多 200 个"),
            ("is 13, at most 12 is allowed", "是 13，超出允许的 12"),
        ] {
            assert_eq!(Found::Rule(rule.to_owned()).say(Lang::Zh), zh);
        }
    }
}
