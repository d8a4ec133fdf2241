//! Dated rules of a region: lines, categories, deadlines, conditions of removal, screening rules.

#[cfg(test)]
pub mod tests;

use std::{collections::BTreeSet, ops::Deref, sync::Arc};

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use tongxin_platform::{error::Refusal, region::RegionCode};

use super::{
    RuleSetId,
    procedure::{DayKind, Step},
    profile::{Newest, Profile},
    risk::Risk,
    rules::{CompileError, EvalError, Expression, FieldSet, Inputs, Message},
};

/// The monitoring line of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub year: i32,
    /// Per-capita net income, in fen a year.
    pub fen: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Never changes.
    pub code: String,
    pub name: String,
    /// CEL condition that a household has to meet.
    pub condition: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    pub step: Step,
    /// Days after the previous step.
    pub days: u32,
    pub kind: DayKind,
    /// Days in the emergency path, counted the same way.
    pub emergency_days: u32,
}

/// Conditions for leaving monitoring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Minimum number of months since identification.
    pub min_months: u32,
    /// Months for which every known per-capita net income has to be above the year's line.
    pub stable_months: u32,
    /// CEL condition on the newest observation.
    pub condition: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScreeningRule {
    /// Number within the rule set.
    pub number: i32,
    pub name: String,
    /// Cause of the signals.
    pub cause: Risk,
    /// CEL condition for a hit.
    pub expression: String,
    /// Explains a hit.
    pub message: String,
}

/// A rule set as entered. It is stored in this form, so its fields never change their meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSetDraft {
    pub name: String,
    /// Of any level.
    pub region: RegionCode,
    pub effective_from: NaiveDate,
    /// Exclusive.
    pub effective_until: Option<NaiveDate>,
    pub lines: Vec<Line>,
    pub categories: Vec<Category>,
    /// One per step.
    pub deadlines: Vec<Deadline>,
    /// Minimum number of days that a public notice is up.
    pub notice_min_days: u32,
    pub removal: Removal,
    pub rules: Vec<ScreeningRule>,
}

/// Why a rule set is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Refusal)]
#[refusal(by = fault, field = field)]
#[error("{field} {fault}")]
pub struct RuleSetRefused {
    /// Path in the request.
    pub field: String,
    pub fault: Fault,
}

/// What can be wrong with a field of a rule set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum Fault {
    /// An expression is wrong.
    #[error(transparent)]
    #[refusal(transparent)]
    Expression(CompileError),
    /// A number stands twice.
    #[error("{0} stands twice")]
    #[refusal(Invalid, "RULE_NUMBER_TWICE")]
    NumberTwice(i32),
    /// A period ends before it begins.
    #[error("has to be after effective_from")]
    #[refusal(Invalid, "DATE_ORDER")]
    PeriodOrder,
    /// Something is missing, or there are two where one is needed.
    #[error("{0}")]
    #[refusal(Invalid, "RULE_SET_INCOMPLETE")]
    Incomplete(String),
}

impl RuleSetRefused {
    fn incomplete(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { field: path(field), fault: Fault::Incomplete(text.into()) }
    }
}

/// Path in a request. Every request has its rule set in the field `rule_set`.
fn path(field: impl Into<String>) -> String {
    format!("rule_set.{}", field.into())
}

#[derive(Debug)]
pub struct CompiledRule {
    pub number: i32,
    pub cause: Risk,
    pub condition: Expression,
    pub message: Message,
}

impl CompiledRule {
    /// All fields used by its condition or its message.
    #[must_use]
    pub fn fields(&self) -> FieldSet {
        self.condition.fields().union(self.message.fields())
    }
}

/// A checked and compiled rule set, which dereferences to its draft. Immutable, so cheap to clone.
#[derive(Debug, Clone)]
pub struct RuleSet {
    pub id: RuleSetId,
    pub record_time: DateTime<Utc>,
    compiled: Arc<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    stated: RuleSetDraft,
    /// In the order of the categories.
    categories: Vec<Expression>,
    removal: Expression,
    rules: Vec<CompiledRule>,
}

impl Deref for RuleSet {
    type Target = RuleSetDraft;

    fn deref(&self) -> &RuleSetDraft {
        &self.compiled.stated
    }
}

impl RuleSet {
    /// Checks and compiles a draft.
    pub fn compile(id: RuleSetId, draft: RuleSetDraft, record_time: DateTime<Utc>) -> Result<Self, RuleSetRefused> {
        check_period(&draft)?;
        check_lines(&draft)?;
        check_steps(&draft)?;
        check_names(&draft)?;
        let compiled = |field: String, text: &str| {
            Expression::compile(text)
                .map_err(|error| RuleSetRefused { field: path(field), fault: Fault::Expression(error) })
        };
        let categories = (0..).zip(&draft.categories);
        let categories =
            categories.map(|(index, category)| compiled(format!("categories[{index}].condition"), &category.condition));
        let categories = categories.collect::<Result<_, _>>()?;
        let removal = compiled("removal.condition".to_owned(), &draft.removal.condition)?;
        let rules = (0..).zip(&draft.rules);
        let rules = rules.map(|(index, rule)| {
            let message = Message::compile(&rule.message).map_err(|error| RuleSetRefused {
                field: path(format!("rules[{index}].message")),
                fault: Fault::Expression(error),
            });
            Ok(CompiledRule {
                number: rule.number,
                cause: rule.cause,
                condition: compiled(format!("rules[{index}].expression"), &rule.expression)?,
                message: message?,
            })
        });
        let rules = rules.collect::<Result<_, _>>()?;
        Ok(Self { id, record_time, compiled: Arc::new(Compiled { stated: draft, categories, removal, rules }) })
    }

    #[must_use]
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.effective_from <= day && self.effective_until.is_none_or(|until| day < until)
    }

    /// The monitoring line for a year, in fen: that of the latest listed year up to it.
    #[must_use]
    pub fn line(&self, year: i32) -> Option<i64> {
        let latest = self.lines.iter().filter(|line| line.year <= year).max_by_key(|line| line.year);
        latest.map(|line| line.fen)
    }

    /// The line for the year in which the window of an observation ends.
    #[must_use]
    pub fn line_of(&self, newest: &Newest) -> Option<i64> {
        self.line(newest.window_ends_on.year())
    }

    /// The line for a year, or else the first one.
    fn nearest_line(&self, year: i32) -> i64 {
        let first = || self.lines.iter().min_by_key(|line| line.year).map(|line| line.fen);
        // A rule set without lines does not compile.
        self.line(year).or_else(first).unwrap_or(0)
    }

    /// Days for a step, how they are counted, and days in the emergency path.
    #[must_use]
    pub fn deadline(&self, step: Step) -> (u32, DayKind, u32) {
        let of_step = self.deadlines.iter().find(|deadline| deadline.step == step);
        // A rule set without one of the deadlines does not compile.
        of_step.map_or((0, DayKind::Calendar, 0), |deadline| (deadline.days, deadline.kind, deadline.emergency_days))
    }

    #[must_use]
    pub fn category(&self, code: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.code == code)
    }

    /// Whether a household fits a category; false for an unknown one. Fails if the condition has no value for the
    /// household.
    pub fn category_is_met(&self, code: &str, profile: &Profile) -> Result<bool, EvalError> {
        let place = self.categories.iter().position(|category| category.code == code);
        let condition = place.and_then(|place| self.compiled.categories.get(place));
        condition.map_or(Ok(false), |condition| condition.eval_bool(&self.inputs(profile)))
    }

    /// Whether the condition of removal is met, with the line for the year of `day`. Fails if it has no value for the
    /// household.
    pub fn removal_condition_is_met(&self, profile: &Profile, day: NaiveDate) -> Result<bool, EvalError> {
        self.compiled.removal.eval_bool(&Inputs::of(profile, self.nearest_line(day.year())))
    }

    /// Inputs of expressions for a household, with the line for the year in which its newest window ends.
    #[must_use]
    pub fn inputs(&self, profile: &Profile) -> Inputs {
        Inputs::of(profile, self.nearest_line(profile.newest.window_ends_on.year()))
    }

    #[must_use]
    pub fn rules(&self) -> &[CompiledRule] {
        &self.compiled.rules
    }

    #[must_use]
    pub fn rule(&self, number: i32) -> Option<&CompiledRule> {
        self.rules().iter().find(|rule| rule.number == number)
    }
}

fn check_period(draft: &RuleSetDraft) -> Result<(), RuleSetRefused> {
    match draft.effective_until {
        Some(until) if until <= draft.effective_from => {
            Err(RuleSetRefused { field: path("effective_until"), fault: Fault::PeriodOrder })
        }
        _ => Ok(()),
    }
}

fn check_lines(draft: &RuleSetDraft) -> Result<(), RuleSetRefused> {
    let mut years = BTreeSet::new();
    for (index, line) in (0..).zip(&draft.lines) {
        if !years.insert(line.year) {
            return Err(RuleSetRefused::incomplete(
                format!("lines[{index}].year"),
                format!("{} stands twice", line.year),
            ));
        }
    }
    let first = draft.effective_from.year();
    let last = draft.effective_until.and_then(|until| until.pred_opt()).map_or(first, |last_day| last_day.year());
    match (first..=last).find(|year| !years.contains(year)) {
        Some(year) => {
            Err(RuleSetRefused::incomplete("lines", format!("have none for {year}, which the rule set covers")))
        }
        None => Ok(()),
    }
}

fn check_steps(draft: &RuleSetDraft) -> Result<(), RuleSetRefused> {
    for step in Step::ALL {
        let deadlines = draft.deadlines.iter().filter(|deadline| deadline.step == *step).count();
        if deadlines != 1 {
            let text = format!("have {deadlines} for the step {}: one for each step is needed", step.name());
            return Err(RuleSetRefused::incomplete("deadlines", text));
        }
    }
    Ok(())
}

fn check_names(draft: &RuleSetDraft) -> Result<(), RuleSetRefused> {
    let mut codes = BTreeSet::new();
    for (index, category) in (0..).zip(&draft.categories) {
        if !codes.insert(category.code.as_str()) {
            let text = format!("{} stands twice", category.code);
            return Err(RuleSetRefused::incomplete(format!("categories[{index}].code"), text));
        }
    }
    let mut numbers = BTreeSet::new();
    for (index, rule) in (0..).zip(&draft.rules) {
        if !numbers.insert(rule.number) {
            return Err(RuleSetRefused {
                field: path(format!("rules[{index}].number")),
                fault: Fault::NumberTwice(rule.number),
            });
        }
    }
    Ok(())
}
