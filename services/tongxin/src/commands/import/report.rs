//! What an import says of its rows: refused ones and those with a warning, by line and column.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tongxin_files::Place;
use tongxin_platform::clock::local_time;
use tongxin_proto::batch::v1::{ImportStatus, RowError, RowWarning};

use super::source::Content;
use crate::{
    lang::{lang, told},
    progress::Progress,
    said,
};

/// Maximum number of rows that are named as text; a file of rejects and `--json` have all.
const NAMED: usize = 200;

/// The refused rows and the warnings of an import.
pub struct Report {
    content: Content,
    /// By row.
    errors: BTreeMap<i64, RowError>,
    warnings: BTreeMap<i64, RowWarning>,
    /// Whether rows are named as they come.
    is_text: bool,
    named: usize,
}

impl Report {
    pub fn new(content: Content, is_text: bool) -> Self {
        Self { content, errors: BTreeMap::new(), warnings: BTreeMap::new(), is_text, named: 0 }
    }

    pub fn rows(&self) -> usize {
        self.content.lines.rows()
    }

    /// Adds what an answer says, and names it, each row once.
    pub fn add(&mut self, status: &ImportStatus, progress: &Progress) {
        for error in &status.errors {
            if self.errors.insert(error.row, error.clone()).is_none() {
                let said = told!("{}: {}", "{}：{}", self.place(error).say(lang()), said_of(error));
                self.name(&said, progress);
            }
        }
        for warning in &status.warnings {
            if self.warnings.insert(warning.row, warning.clone()).is_none() {
                let place = self.content.lines.place(&self.content.columns, warning.row, "").say(lang());
                let rules = warning.rules.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let said = told!(
                    "{place}: taken, with a warning of data-quality rule {rules}",
                    "{place}：已接收，数据质量规则 {rules} 提示可能有误"
                );
                self.name(&said, progress);
            }
        }
    }

    fn name(&mut self, said: &str, progress: &Progress) {
        self.named += 1;
        match self.named {
            _ if !self.is_text => {}
            ..=NAMED => progress.note(said),
            named if named == NAMED + 1 => {
                progress.note(&told!(
                    "more rows are not named here: --rejects FILE writes those that are refused, --json has all",
                    "其余各行不再逐一列出：--rejects FILE 可写出全部退回的行，--json 列出全部"
                ));
            }
            _ => {}
        }
    }

    fn place(&self, error: &RowError) -> Place {
        self.content.lines.place(&self.content.columns, error.row, &error.field)
    }

    /// What was said of each line of each refused row.
    pub fn by_line(&self) -> BTreeMap<u64, String> {
        let mut by_line = BTreeMap::new();
        for error in self.errors.values() {
            // All lines of the row: it is imported again as a whole.
            for line in self.content.lines.of_row(error.row) {
                by_line.entry(u64::from(*line)).or_insert_with(String::new);
            }
            let place = self.place(error);
            let column = Place { sheet: None, line: 0, column: place.column };
            let said = said_of(error);
            let text =
                if column.column.is_some() { told!("{}: {said}", "{}：{said}", column.say(lang())) } else { said };
            by_line.insert(place.line, text);
        }
        by_line
    }

    /// For programs.
    pub fn json(&self, status: &ImportStatus, dry_run: bool) -> Value {
        let errors = self.errors.values().map(|error| {
            let RowError { row, reason, field, message, refused_time } = error;
            let Place { sheet, line, column } = self.place(error);
            json!({
                "sheet": sheet.as_deref(), "line": line, "column": column.as_deref(), "row": row, "reason": reason,
                "field": field, "message": message, "refused_time": refused_time.map(time),
            })
        });
        let warnings = self.warnings.values().map(|warning| {
            let Place { sheet, line, .. } = self.content.lines.place(&self.content.columns, warning.row, "");
            json!({"sheet": sheet.as_deref(), "line": line, "row": warning.row, "rules": warning.rules})
        });
        let ImportStatus { import_id, rows_taken, accepted, refused, warned, unchanged, .. } = status;
        json!({
            "import_id": import_id,
            "dry_run": dry_run,
            "rows": rows_taken,
            "accepted": accepted,
            "unchanged": unchanged,
            "refused": refused,
            "warned": warned,
            "errors": errors.collect::<Vec<_>>(),
            "warnings": warnings.collect::<Vec<_>>(),
        })
    }
}

/// What is wrong with a row. Its message may begin with the field, which the column says better.
fn said_of(error: &RowError) -> String {
    let RowError { reason, field, message, .. } = error;
    let message =
        message.strip_prefix(field.as_str()).filter(|_| !field.is_empty()).map_or(message.as_str(), str::trim_start);
    said::row(reason, message)
}

/// A time of the contract, in Asia/Shanghai.
pub fn time(time: prost_types::Timestamp) -> String {
    let moment = DateTime::<Utc>::from_timestamp(time.seconds, u32::try_from(time.nanos).unwrap_or_default());
    moment.map(local_time).unwrap_or_default()
}
