//! Checks of the rules that the contract states for fields. The build writes the
//! calls; this is what they call.

use std::{fmt::Write as _, sync::LazyLock};

use chrono::NaiveDate;
use regex::Regex;

use crate::{
    Date,
    date::FIRST_BUSINESS_DATE,
    telling::telling,
    text::{ControlCharacter, control_character, control_character_in_lines},
};

/// A message whose fields have rules.
pub trait Rules {
    /// Adds every broken rule of this message and of those in it to the report.
    fn check(&self, report: &mut Report);
}

/// Checks all rules of a message.
///
/// # Errors
/// The rules that it breaks: [`VIOLATIONS_NAMED`] of them, then one without a field that says how many more.
pub fn check(message: &impl Rules) -> Result<(), Vec<Violation>> {
    let mut report = Report::default();
    message.check(&mut report);
    let Report { mut violations, more, .. } = report;
    if more > 0 {
        violations.push(Violation::new("", format!("and {more} more")));
    }
    if violations.is_empty() { Ok(()) } else { Err(violations) }
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field from the request, for example `pairing.starts_on`. Empty in the one that counts the others.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
    /// The reason in `google.rpc.ErrorInfo` of a message with this violation alone: [`INVALID_FIELDS`] or
    /// [`DATE_TOO_EARLY`].
    pub reason: &'static str,
}

impl Violation {
    /// A field that breaks a rule.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), reason: INVALID_FIELDS }
    }
}

/// The reason of a message that breaks rules of its fields.
pub const INVALID_FIELDS: &str = "INVALID_FIELDS";

/// The reason of a message of which nothing is wrong but dates before [`FIRST_BUSINESS_DATE`].
pub const DATE_TOO_EARLY: &str = "DATE_TOO_EARLY";

/// The reason of a message with some violations: the one that all of them have.
#[must_use]
pub fn reason(violations: &[Violation]) -> &'static str {
    let first = violations.first().map_or(INVALID_FIELDS, |violation| violation.reason);
    if violations.iter().all(|violation| violation.reason == first) { first } else { INVALID_FIELDS }
}

/// Violations that a refusal names; of more it says how many there are. Clients take a few kilobytes of an error at most.
pub const VIOLATIONS_NAMED: usize = 20;

/// Characters of a text that names violations.
const TEXT_CHARACTERS: usize = 900;

/// The violations in words: the first [`VIOLATIONS_NAMED`], at most some 900 characters of them, and how many more there are.
#[must_use]
pub fn summary(violations: &[Violation]) -> String {
    let mut text = String::new();
    let mut named = 0;
    let (violations, uncounted) = without_count(violations);
    for Violation { field, message, .. } in violations.iter().take(VIOLATIONS_NAMED) {
        let line = format!("{field} {message}");
        if named > 0 && text.chars().count() + line.chars().count() > TEXT_CHARACTERS {
            break;
        }
        if named > 0 {
            text += "; ";
        }
        text.extend(line.chars().take(TEXT_CHARACTERS));
        named += 1;
    }
    let more = violations.len() - named + uncounted;
    if more > 0 {
        let _ = write!(text, "; and {more} more");
    }
    text
}

/// The violations that are named, and how many [`check`] only counted.
fn without_count(violations: &[Violation]) -> (&[Violation], usize) {
    let counted = |last: &Violation| last.message.strip_prefix("and ")?.strip_suffix(" more")?.parse().ok();
    match violations.split_last() {
        Some((last, named)) if last.field.is_empty() => (named, counted(last).unwrap_or(0)),
        _ => (violations, 0),
    }
}

/// The broken rules that were found, and where the check is.
#[derive(Debug, Default)]
pub struct Report {
    path: Vec<(&'static str, Option<usize>)>,
    violations: Vec<Violation>,
    /// Those that are counted and not named: a message of some megabytes breaks rules by the million.
    more: usize,
}

impl Report {
    fn add(&mut self, field: &str, message: impl FnOnce() -> String) {
        self.add_as(INVALID_FIELDS, field, message);
    }

    fn add_as(&mut self, reason: &'static str, field: &str, message: impl FnOnce() -> String) {
        if self.violations.len() >= VIOLATIONS_NAMED {
            self.more += 1;
            return;
        }
        let mut path = String::new();
        for (name, index) in &self.path {
            path += name;
            if let Some(index) = index {
                // Writing to a text never fails.
                let _ = write!(path, "[{index}]");
            }
            path.push('.');
        }
        self.violations.push(Violation { field: path + field, message: message(), reason });
    }

    pub(crate) fn nested<M: Rules>(&mut self, field: &'static str, message: Option<&M>) {
        if let Some(message) = message {
            self.nested_one(field, message);
        }
    }

    pub(crate) fn nested_one<M: Rules>(&mut self, field: &'static str, message: &M) {
        self.path.push((field, None));
        message.check(self);
        self.path.pop();
    }

    pub(crate) fn nested_list<M: Rules>(&mut self, field: &'static str, messages: &[M]) {
        for (index, message) in messages.iter().enumerate() {
            self.path.push((field, Some(index)));
            message.check(self);
            self.path.pop();
        }
    }

    /// Every text of a request, unless it may have several lines. Returns whether it holds no control character.
    pub(crate) fn line(&mut self, field: &str, value: &str) -> bool {
        self.no_control(field, control_character(value))
    }

    /// A text that may have several lines.
    pub(crate) fn lines(&mut self, field: &str, value: &str) -> bool {
        self.no_control(field, control_character_in_lines(value))
    }

    /// Each text of a list.
    pub(crate) fn each_line(&mut self, field: &str, values: &[String]) {
        for (index, value) in values.iter().enumerate() {
            if let Some(control) = control_character(value) {
                self.no_control(&format!("{field}[{index}]"), Some(control));
            }
        }
    }

    fn no_control(&mut self, field: &str, found: Option<ControlCharacter>) -> bool {
        if let Some(control) = found {
            self.add(field, || format!("holds {control}"));
        }
        found.is_none()
    }

    /// Every date of a request, whether it is entered or asked about.
    pub(crate) fn business_date(&mut self, field: &str, value: Option<Date>) {
        // What is no day is left to those who read it.
        let day = value.and_then(|date| NaiveDate::try_from(date).ok());
        if let Some(day) = day.filter(|day| *day < FIRST_BUSINESS_DATE) {
            self.add_as(DATE_TOO_EARLY, field, || {
                format!("is {day}: a day from {FIRST_BUSINESS_DATE} on is needed, its year with all four digits")
            });
        }
    }

    pub(crate) fn required(&mut self, field: &str, is_set: bool) {
        if !is_set {
            self.add(field, || "is required".to_owned());
        }
    }

    pub(crate) fn pattern(&mut self, field: &str, value: &str, pattern: &LazyLock<Regex>) {
        if !pattern.is_match(value) {
            self.add(field, || match value {
                "" => "is required".to_owned(),
                _ => format!("does not have the form {}", pattern.as_str()),
            });
        }
    }

    pub(crate) fn uuid(&mut self, field: &str, value: &str) {
        // Only the hyphenated form, as buf.validate has it; the parser knows others.
        if value.len() != 36 || uuid::Uuid::try_parse(value).is_err() {
            self.add(field, || "has to be a UUID such as 0190a0b2-7f3e-7000-8000-000000000001".to_owned());
        }
    }

    pub(crate) fn min_len(&mut self, field: &str, value: &str, min: usize) {
        if value.chars().count() < min {
            self.add(field, || format!("needs at least {min} characters"));
        }
    }

    pub(crate) fn max_len(&mut self, field: &str, value: &str, max: usize) {
        let len = value.chars().count();
        if len > max {
            self.add(field, || format!("has {len} characters, {max} are allowed"));
        }
    }

    /// What is kept in plain says of nobody who it is. The text itself is not repeated.
    pub(crate) fn plain_text(&mut self, field: &str, value: &str) {
        if let Some(telling) = telling(value) {
            self.add(field, || telling.to_string());
        }
    }

    pub(crate) fn gte(&mut self, field: &str, value: i64, min: i64) {
        if value < min {
            self.add(field, || format!("is {value}, at least {min} is needed"));
        }
    }

    pub(crate) fn lte(&mut self, field: &str, value: i64, max: i64) {
        if value > max {
            self.add(field, || format!("is {value}, at most {max} is allowed"));
        }
    }

    pub(crate) fn defined(&mut self, field: &str, value: i32, is_defined: bool) {
        if !is_defined {
            self.add(field, || format!("has no value numbered {value}"));
        }
    }

    pub(crate) fn stated(&mut self, field: &str, value: i32) {
        if value == 0 {
            self.add(field, || "is required".to_owned());
        }
    }

    pub(crate) fn min_items(&mut self, field: &str, len: usize, min: usize) {
        if len < min {
            self.add(field, || format!("has {len} items, at least {min} are needed"));
        }
    }

    pub(crate) fn max_items(&mut self, field: &str, len: usize, max: usize) {
        if len > max {
            self.add(field, || format!("has {len} items, at most {max} are allowed"));
        }
    }
}

/// A regular expression of the contract, compiled at its first use.
macro_rules! regex {
    ($pattern:literal) => {{
        static PATTERN: std::sync::LazyLock<regex::Regex> = std::sync::LazyLock::new(|| {
            regex::Regex::new($pattern).expect("a test compiles every pattern of the contract")
        });
        &PATTERN
    }};
}
pub(crate) use regex;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Date, POOL,
        pairing::v1::{
            ImportRegionsRequest, ListPairingsRequest, PairingDraft, RegionRow, RegionRows,
            RegisterOrganisationRequest, import_regions_request::Part,
        },
    };

    fn broken(message: &impl Rules) -> Vec<String> {
        let lines = check(message).err().unwrap_or_default();
        lines.into_iter().map(|violation| format!("{} {}", violation.field, violation.message)).collect()
    }

    #[test]
    fn every_broken_rule_is_named_with_its_path() {
        let empty = RegisterOrganisationRequest {
            request_id: "1".to_owned(),
            organisation: Some(crate::pairing::v1::OrganisationDraft { kind: 99, ..Default::default() }),
        };
        assert_eq!(
            broken(&empty),
            [
                "request_id has to be a UUID such as 0190a0b2-7f3e-7000-8000-000000000001",
                "organisation.name needs at least 1 characters",
                "organisation.kind has no value numbered 99",
                "organisation.side is required",
                "organisation.region_code is required",
            ]
        );
        assert_eq!(broken(&RegisterOrganisationRequest::default()).last().unwrap(), "organisation is required");
    }

    #[test]
    fn a_oneof_is_stated_and_what_it_holds_is_checked() {
        assert_eq!(broken(&ImportRegionsRequest { part: None }), ["part is required"]);
        let no_rows = ImportRegionsRequest { part: Some(Part::Rows(RegionRows { rows: Vec::new() })) };
        assert_eq!(broken(&no_rows), ["rows.rows has 0 items, at least 1 are needed"]);
    }

    #[test]
    fn rows_of_a_batch_are_left_to_be_checked_one_by_one() {
        let rows = RegionRows { rows: vec![RegionRow::default()] };
        assert_eq!(broken(&rows), Vec::<String>::new());
        assert!(!broken(&rows.rows[0]).is_empty());
    }

    #[test]
    fn twenty_broken_rules_are_kept_and_millions_counted() {
        struct Often;
        impl Rules for Often {
            fn check(&self, report: &mut Report) {
                (0..3_000_000).for_each(|_| report.required("a", false));
            }
        }
        let broken = check(&Often).unwrap_err();
        assert_eq!(broken.len(), VIOLATIONS_NAMED + 1);
        assert!(summary(&broken).ends_with("; and 2999980 more"), "{}", summary(&broken));
    }

    #[test]
    fn what_is_optional_may_be_empty() {
        assert_eq!(broken(&ListPairingsRequest::default()), Vec::<String>::new());
        let wrong =
            ListPairingsRequest { organisation_id: "x".to_owned(), page_size: 1_000_000_000, ..Default::default() };
        assert_eq!(broken(&wrong).len(), 2);
    }

    #[test]
    fn only_the_hyphenated_form_is_a_uuid() {
        let draft = |supporter_id: &str| PairingDraft {
            kind: 1,
            supporter_id: supporter_id.to_owned(),
            recipient_id: "0190a0b2-7f3e-7000-8000-000000000001".to_owned(),
            starts_on: Some(Date::default()),
            ..Default::default()
        };
        assert!(broken(&draft("0190a0b2-7f3e-7000-8000-000000000002")).is_empty());
        for text in ["0190a0b27f3e70008000000000000002", "{0190a0b2-7f3e-7000-8000-000000000002}"] {
            assert_eq!(broken(&draft(text)).len(), 1, "{text}");
        }
    }

    #[test]
    fn control_characters_are_named_and_nothing_else_of_the_text() {
        let named = |name: &str| {
            let organisation = crate::pairing::v1::OrganisationDraft {
                name: name.to_owned(),
                kind: 1,
                side: 1,
                region_code: "441823107000".to_owned(),
                ..Default::default()
            };
            broken(&organisation)
        };
        assert_eq!(named("太平\0中学"), ["name holds the control character U+0000"]);
        assert_eq!(named(&format!("{}\n", "名".repeat(300))), ["name holds the line break U+000A"]);
        assert_eq!(named("太平中学"), Vec::<String>::new());
    }

    #[test]
    fn reasons_have_lines_and_names_have_none() {
        let reason = |reason: &str| crate::pairing::v1::VoidPairingRequest {
            request_id: "0190a0b2-7f3e-7000-8000-000000000001".to_owned(),
            pairing_id: "0190a0b2-7f3e-7000-8000-000000000002".to_owned(),
            reason: reason.to_owned(),
            ..Default::default()
        };
        assert!(broken(&reason("录入有误：\r\n\t重复")).is_empty());
        assert_eq!(broken(&reason("录入\u{7}有误")), ["reason holds the control character U+0007"]);
        let merge = crate::monitoring::v1::MergeHouseholdsRequest {
            take_members: vec!["a".to_owned(), "b\nc".to_owned()],
            ..Default::default()
        };
        assert!(broken(&merge).contains(&"take_members[1] holds the line break U+000A".to_owned()));
    }

    #[test]
    fn no_business_date_lies_before_1949() {
        let draft = |year, month, day| PairingDraft {
            kind: 1,
            supporter_id: "0190a0b2-7f3e-7000-8000-000000000002".to_owned(),
            recipient_id: "0190a0b2-7f3e-7000-8000-000000000001".to_owned(),
            starts_on: Some(Date { year, month, day }),
            ..Default::default()
        };
        assert_eq!(check(&draft(1949, 10, 1)), Ok(()));
        assert_eq!(check(&draft(26, 13, 1)), Ok(()), "what is no day is left to those who read it");
        let refused = check(&draft(26, 1, 1)).unwrap_err();
        let text = "starts_on is 0026-01-01: a day from 1949-10-01 on is needed, its year with all four digits";
        assert_eq!((summary(&refused).as_str(), reason(&refused)), (text, DATE_TOO_EARLY));
        let refused = check(&PairingDraft { kind: 99, ..draft(1949, 9, 30) }).unwrap_err();
        assert_eq!((refused.len(), reason(&refused)), (2, INVALID_FIELDS));
    }

    #[test]
    fn answers_are_not_checked() {
        let stated = crate::monitoring::v1::RuleSetDraft { name: "a\nb".to_owned(), ..Default::default() };
        assert!(!broken(&stated).is_empty());
        let rule_set = crate::monitoring::v1::RuleSet { stated: Some(stated), ..Default::default() };
        let answer = crate::monitoring::v1::GetRuleSetResponse { rule_set: Some(rule_set) };
        assert!(broken(&answer).is_empty());
    }

    #[test]
    fn every_pattern_of_the_contract_compiles() {
        let rules = POOL.get_extension_by_name("buf.validate.field").unwrap();
        let mut patterns = 0;
        for field in POOL.all_messages().flat_map(|message| message.fields().collect::<Vec<_>>()) {
            let options = field.options();
            let stated = options.get_extension(&rules);
            let of_text = stated.as_message().unwrap().get_field_by_name("string").unwrap().into_owned();
            let pattern = of_text.as_message().unwrap().get_field_by_name("pattern").unwrap().into_owned();
            if let Some(pattern) = pattern.as_str().filter(|pattern| !pattern.is_empty()) {
                Regex::new(pattern).unwrap();
                patterns += 1;
            }
        }
        assert!(patterns > 5);
    }
}
