//! What an import says of its rows: refused ones and those with a warning, by line and column.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use tongxin_files::Place;
use tongxin_platform::clock::local_time;
use tongxin_proto::batch::v1::{ImportStatus, RowError, RowWarning, RuleWarning};

use super::source::Content;
use crate::{
    lang::{lang, told},
    progress::Progress,
    quality_rules::Texts,
    said,
};

/// What stands before the paths of fields in which a row differs from what is kept.
const DIFFERS: &str = "differs in: ";

/// Maximum number of refused rows that are named as text, and of warnings; a file of rejects and `--json` have all.
const NAMED: usize = 200;

/// The refused rows and the warnings of an import.
pub struct Report {
    content: Content,
    /// By row.
    errors: BTreeMap<i64, RowError>,
    warnings: BTreeMap<i64, RowWarning>,
    /// What the rules of warnings say, once it was asked for.
    rules: Option<Texts>,
    /// Whether rows are named as they come.
    is_text: bool,
    named: Named,
}

/// Rows that were named so far. Refused ones are not hidden behind warnings.
#[derive(Default)]
struct Named {
    refused: usize,
    warned: usize,
}

impl Report {
    pub fn new(content: Content, is_text: bool) -> Self {
        Self {
            content,
            errors: BTreeMap::new(),
            warnings: BTreeMap::new(),
            rules: None,
            is_text,
            named: Named::default(),
        }
    }

    pub fn rows(&self) -> usize {
        self.content.lines.rows()
    }

    /// Whether somebody has to ask for the rules before an answer is added.
    pub const fn lacks_rules(&self, status: &ImportStatus) -> bool {
        self.rules.is_none() && !status.warnings.is_empty()
    }

    /// Takes what the rules say.
    pub fn set_rules(&mut self, rules: Texts) {
        self.rules = Some(rules);
    }

    /// Adds what an answer says, and names it, each row once.
    pub fn add(&mut self, status: &ImportStatus, progress: &Progress) {
        for error in &status.errors {
            if self.errors.insert(error.row, error.clone()).is_none() {
                let place = self.place(error.row, &error.field).say(lang());
                let said = told!("{place}: {}", "{place}：{}", self.said_of(error));
                Self::name(self.is_text, &mut self.named.refused, &said, progress);
            }
        }
        for warning in &status.warnings {
            if self.warnings.insert(warning.row, warning.clone()).is_some() {
                continue;
            }
            for RuleWarning { rule, field } in &warning.rules {
                let place = self.place(warning.row, field).say(lang());
                let text = self.rule(*rule);
                let said = told!(
                    "{place}: taken, with a warning: {text} (data-quality rule {rule})",
                    "{place}：已接收，请核对：{text}（数据质量规则 {rule}）"
                );
                Self::name(self.is_text, &mut self.named.warned, &said, progress);
            }
        }
    }

    /// What a rule says; its number alone is known to those who may not list rules.
    fn rule(&self, number: i32) -> &str {
        let text = self.rules.as_ref().and_then(|rules| rules.get(&number));
        text.map_or_else(|| lang().of("it may be wrong", "可能有误"), String::as_str)
    }

    fn name(is_text: bool, named: &mut usize, said: &str, progress: &Progress) {
        *named += 1;
        match *named {
            _ if !is_text => {}
            ..=NAMED => progress.note(said),
            named if named == NAMED + 1 => {
                progress.note(&told!(
                    "more such rows are not named here: --rejects FILE writes those that are refused, --json has all",
                    "其余此类行不再逐一列出：--rejects FILE 可写出全部退回的行，--json 列出全部"
                ));
            }
            _ => {}
        }
    }

    fn place(&self, row: i64, field: &str) -> Place {
        self.content.lines.place(&self.content.columns, row, field)
    }

    /// What is wrong with a row. Its message may begin with the field, which the column says better, as it does of fields
    /// that differ.
    fn said_of(&self, error: &RowError) -> String {
        let RowError { row, reason, field, message, .. } = error;
        let message = message
            .strip_prefix(field.as_str())
            .filter(|_| !field.is_empty())
            .map_or(message.as_str(), |rest| rest.trim_start_matches([':', ' ']));
        let Some((before, fields)) = message.split_once(DIFFERS) else { return said::row(reason, message) };
        let places: Vec<_> = fields.split(", ").map(|field| self.place(*row, field).say(lang())).collect();
        said::row(reason, &format!("{before}{DIFFERS}{}", places.join("; ")))
    }

    /// What was said of each line of each refused row.
    pub fn by_line(&self) -> BTreeMap<u64, String> {
        let mut by_line = BTreeMap::new();
        for error in self.errors.values() {
            // All lines of the row: it is imported again as a whole.
            for line in self.content.lines.of_row(error.row) {
                by_line.entry(u64::from(*line)).or_insert_with(String::new);
            }
            let place = self.place(error.row, &error.field);
            let column = Place { sheet: None, line: 0, column: place.column };
            let said = self.said_of(error);
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
            let Place { sheet, line, column } = self.place(*row, field);
            json!({
                "sheet": sheet.as_deref(), "line": line, "column": column.as_deref(), "row": row, "reason": reason,
                "field": field, "message": message, "refused_time": refused_time.map(rfc3339),
            })
        });
        let warnings = self.warnings.values().flat_map(|warning| warning.rules.iter().map(|rule| (warning.row, rule)));
        let warnings = warnings.map(|(row, RuleWarning { rule, field })| {
            let Place { sheet, line, column } = self.place(row, field);
            json!({
                "sheet": sheet.as_deref(), "line": line, "column": column.as_deref(), "row": row, "rule": rule,
                "field": field, "message": self.rule(*rule),
            })
        });
        let ImportStatus { import_id, rows_taken, accepted, refused, warned, unchanged, corrected, .. } = status;
        json!({
            "import_id": import_id,
            "dry_run": dry_run,
            "rows": rows_taken,
            "accepted": accepted,
            "unchanged": unchanged,
            "corrected": corrected,
            "refused": refused,
            "warned": warned,
            "errors": errors.collect::<Vec<_>>(),
            "warnings": warnings.collect::<Vec<_>>(),
        })
    }
}

/// A time of the contract, in Asia/Shanghai.
pub fn time(time: prost_types::Timestamp) -> String {
    moment(time).map(local_time).unwrap_or_default()
}

/// For programs.
fn rfc3339(time: prost_types::Timestamp) -> String {
    moment(time).map(|moment| moment.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
}

fn moment(time: prost_types::Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.seconds, u32::try_from(time.nanos).unwrap_or_default())
}
