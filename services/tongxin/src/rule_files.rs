//! YAML files with rule sets and holidays, parsed to messages of the contract.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, Result, anyhow, bail};
use chrono::{Datelike as _, NaiveDate, Weekday};
use config::{Config, File, FileFormat};
use serde::{Deserialize, de::DeserializeOwned};
use tongxin_monitoring::check_rule_set;
use tongxin_platform::{clock::Clock, day::Day};
use tongxin_proto::{monitoring::v1, words::Word};

use crate::lang::told;

/// Reads and checks a rule set.
pub fn rule_set(path: &Path) -> Result<v1::RuleSetDraft> {
    parse_rule_set(&read(path)?)
}

pub fn parse_rule_set(text: &str) -> Result<v1::RuleSetDraft> {
    let draft = parse::<RuleSetFile>(text)?.draft()?;
    check_rule_set(draft.clone(), Clock::system().now()).map_err(|error| anyhow!("{}", in_file(&error.to_string())))?;
    Ok(draft)
}

/// Holidays by year.
pub fn holidays(path: &Path) -> Result<BTreeMap<i32, Vec<v1::Holiday>>> {
    parse_holidays(&read(path)?)
}

pub fn parse_holidays(text: &str) -> Result<BTreeMap<i32, Vec<v1::Holiday>>> {
    let mut by_year: BTreeMap<i32, Vec<v1::Holiday>> = BTreeMap::new();
    for holiday in parse::<HolidayFile>(text)?.holidays {
        for (day, worked) in holiday.exceptions()? {
            let stated = v1::Holiday { day: Some(day.into()), worked, name: holiday.name.clone() };
            by_year.entry(day.year()).or_default().push(stated);
        }
    }
    Ok(by_year)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| told!("cannot be read", "无法读取"))
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    let parsed = Config::builder().add_source(File::from_str(text, FileFormat::Yaml)).build();
    Ok(parsed.with_context(|| told!("is not YAML", "不是 YAML 文件"))?.try_deserialize()?)
}

/// The service names fields of its request; the file lacks that level.
fn in_file(text: &str) -> String {
    text.replace("rule_set.", "")
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSetFile {
    name: String,
    region: String,
    effective_from: Day,
    effective_until: Option<Day>,
    lines: Vec<LineEntry>,
    categories: Vec<CategoryEntry>,
    deadlines: Vec<DeadlineEntry>,
    notice_min_days: i32,
    removal: RemovalEntry,
    rules: Vec<RuleEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineEntry {
    year: i32,
    /// Whole yuan.
    yuan: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoryEntry {
    code: String,
    name: String,
    condition: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeadlineEntry {
    step: String,
    days: i32,
    kind: String,
    emergency_days: i32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RemovalEntry {
    min_months: i32,
    stable_months: i32,
    condition: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    number: i32,
    name: String,
    cause: String,
    expression: String,
    message: String,
}

impl RuleSetFile {
    fn draft(self) -> Result<v1::RuleSetDraft> {
        let line = |line: LineEntry| {
            let too_large = || told!("the line of {} is too large", "{} 年的监测线太大", line.year);
            let line_fen = line.yuan.checked_mul(100).with_context(too_large)?;
            Ok(v1::MonitoringLine { year: line.year, line_fen })
        };
        let deadline = |(index, deadline): (usize, DeadlineEntry)| {
            let field = |name: &str| format!("deadlines[{index}].{name}");
            Ok(v1::StepDeadline {
                step: named::<v1::Step>(&field("step"), &deadline.step)?.into(),
                days: deadline.days,
                kind: named::<v1::DayKind>(&field("kind"), &deadline.kind)?.into(),
                emergency_days: deadline.emergency_days,
            })
        };
        let rule = |(index, rule): (usize, RuleEntry)| {
            let field = format!("rules[{index}].cause");
            Ok(v1::ScreeningRule {
                number: rule.number,
                name: rule.name,
                cause: named::<v1::Risk>(&field, &rule.cause)?.into(),
                expression: rule.expression,
                message: rule.message,
            })
        };
        let category = |category: CategoryEntry| v1::Category {
            code: category.code,
            name: category.name,
            condition: category.condition,
        };
        Ok(v1::RuleSetDraft {
            name: self.name,
            region_code: self.region,
            effective_from: Some(self.effective_from.0.into()),
            effective_until: self.effective_until.map(|Day(until)| until.into()),
            lines: self.lines.into_iter().map(line).collect::<Result<_>>()?,
            categories: self.categories.into_iter().map(category).collect(),
            deadlines: self.deadlines.into_iter().enumerate().map(deadline).collect::<Result<_>>()?,
            notice_min_days: self.notice_min_days,
            removal: Some(v1::RemovalConditions {
                min_months: self.removal.min_months,
                stable_months: self.removal.stable_months,
                condition: self.removal.condition,
            }),
            rules: self.rules.into_iter().enumerate().map(rule).collect::<Result<_>>()?,
        })
    }
}

fn named<W: Word>(field: &str, word: &str) -> Result<W> {
    let found = W::from_word(&word.to_ascii_lowercase());
    found.with_context(|| {
        told!(
            "{field}: there is no {word:?}; there are {}",
            "{field}：没有 {word:?}，可用的有 {}",
            W::words().join(", ")
        )
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HolidayFile {
    holidays: Vec<HolidayEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HolidayEntry {
    name: String,
    first: Day,
    last: Day,
    #[serde(default)]
    worked: Vec<Day>,
}

impl HolidayEntry {
    /// Its days that differ from the weekly pattern, and whether they are worked.
    fn exceptions(&self) -> Result<Vec<(NaiveDate, bool)>> {
        let Self { name, first: Day(first), last: Day(last), worked } = self;
        let worked: Vec<NaiveDate> = worked.iter().map(|Day(day)| *day).collect();
        if last < first {
            bail!(told!(
                "{name}: the last day {last} is before the first, {first}",
                "{name}：最后一天 {last} 早于第一天 {first}"
            ));
        }
        if let Some(day) = worked.iter().find(|day| !is_weekend(**day)) {
            bail!(told!(
                "{name}: {day} is no weekend day, so it is worked anyway",
                "{name}：{day} 不是周末，本来就上班"
            ));
        }
        let free = first.iter_days().take_while(|day| day <= last).filter(|day| !is_weekend(*day));
        Ok(free.map(|day| (day, false)).chain(worked.into_iter().map(|day| (day, true))).collect())
    }
}

fn is_weekend(day: NaiveDate) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use tempfile::TempDir;

    use super::*;

    fn shipped(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/rules").join(name)
    }

    #[test]
    fn the_shipped_rule_sets_are_sound() {
        let first = rule_set(&shipped("guangdong-2021-2025.yaml")).unwrap();
        let second = rule_set(&shipped("guangdong-2026.yaml")).unwrap();
        assert!(first.rules.len() >= 12 && second.rules.len() >= 12);
        assert_eq!(first.effective_until, second.effective_from);
        assert_ne!(first.deadlines[0].kind, second.deadlines[0].kind);
        let days = |draft: &v1::RuleSetDraft| draft.deadlines.iter().map(|deadline| deadline.days).sum::<i32>();
        assert_eq!((days(&first), days(&second)), (20, 15));
        assert_eq!(first.lines.last().map(|line| (line.year, line.line_fen)), Some((2025, 720_000)));
    }

    #[test]
    fn the_shipped_holidays_are_weekdays_that_are_free_and_weekends_that_are_worked() {
        let by_year = holidays(&shipped("holidays-2021-2026.yaml")).unwrap();
        assert_eq!(by_year.keys().copied().collect::<Vec<_>>(), (2021..=2026).collect::<Vec<_>>());
        let of_2025 = &by_year[&2025];
        // 28 days off in 2025, of which 10 fall on weekends; 5 weekend days are worked in exchange.
        assert_eq!(of_2025.iter().filter(|holiday| !holiday.worked).count(), 18);
        assert_eq!(of_2025.iter().filter(|holiday| holiday.worked).count(), 5);
    }

    fn refused(change: (&str, &str)) -> String {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("rules.yaml");
        let text = fs::read_to_string(shipped("guangdong-2026.yaml")).unwrap();
        let changed = text.replacen(change.0, change.1, 1);
        assert_ne!(text, changed, "{change:?}");
        fs::write(&path, changed).unwrap();
        format!("{:#}", rule_set(&path).unwrap_err())
    }

    #[test]
    fn what_is_wrong_in_a_file_is_named() {
        for (change, expected) in [
            (("!water_safe", "!watersafe"), "rules[5].expression there is no field watersafe"),
            (("{housing_grade}", "{housing}"), "rules[4].message there is no field housing: is housing_grade meant?"),
            (("cause: water", "cause: wata"), "rules[5].cause: there is no \"wata\""),
            (("kind: calendar", "kind: lunar"), "deadlines[0].kind: there is no \"lunar\""),
            (("number: 2\n", "number: 1\n"), "rules[1].number 1 stands twice"),
            (("year: 2026", "year: 2027"), "lines have none for 2026"),
            (("notice_min_days: 5", "notice_days: 5"), "notice_days"),
            (("yuan: 8000", "yuan: much"), "lines[1]"),
            (("lines:", "lines: ["), "line "),
            (("effective_from: 2026-01-01", "effective_from: 26-01-01"), "a day such as 2025-12-31 is needed"),
            (("region: \"440000000000\"", "region: Guangdong"), "region_code"),
        ] {
            let text = refused(change);
            assert!(text.contains(expected), "{change:?}: {text}");
        }
    }

    #[test]
    fn days_and_words_are_read_as_people_write_them() {
        let text = fs::read_to_string(shipped("guangdong-2026.yaml")).unwrap();
        let written =
            text.replacen("2026-01-01", "2026年1月1日", 1).replacen("cause: water", "cause: \u{200b}water", 1);
        assert_ne!(text, written);
        assert_eq!(parse_rule_set(&written).unwrap(), parse_rule_set(&text).unwrap());
    }

    #[test]
    fn a_worked_day_has_to_be_one_of_a_weekend() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("holidays.yaml");
        let entry = "holidays:\n  - { name: 元旦, first: 2026-01-01, last: 2026-01-03, worked: [2026-01-05] }\n";
        fs::write(&path, entry).unwrap();
        assert!(format!("{:#}", holidays(&path).unwrap_err()).contains("2026-01-05 is no weekend day"));
    }
}
