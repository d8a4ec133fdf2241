//! Which households a screening has to look at: those that Postgres cannot tell no rule hits. Of a million, it reads a few
//! thousand that way.
//!
//! A condition is translated so that, where SQL says that it is false, the rule says so, too, and has a value at that. The
//! reverse need not hold: whoever is read is judged by the rules themselves. What might overflow or divide by zero, or is
//! not worth a translation, is taken to hold.

#[cfg(test)]
mod tests;

use std::fmt;

use chrono::NaiveDate;

use crate::domain::{
    rule_set::RuleSet,
    rules::{
        Flag, Number, Word,
        tree::{Arithmetic, Bool, Comparison, Int, List, Text},
    },
};

/// Longer conditions are not worth their while: a rule may name the line hundreds of times, each a choice among many years.
const MOST_BYTES: usize = 64 << 10;

/// A condition over the columns of `profile`. It names columns and holds literals that are quoted here, so it is part of a
/// statement as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(String);

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Filter {
    /// Households that a rule of any of some rule sets may hit.
    pub fn of<'a>(rule_sets: impl IntoIterator<Item = &'a RuleSet>) -> Self {
        let mut all = Vec::new();
        let mut bytes = 0;
        for rule_set in rule_sets {
            let columns = Columns { line: Line::of(rule_set) };
            for rule in rule_set.rules() {
                let Some(condition) = columns.may_hold(rule.condition.condition()) else { return Self::everybody() };
                bytes += condition.len();
                if bytes > MOST_BYTES {
                    return Self::everybody();
                }
                all.push(condition);
            }
        }
        if all.is_empty() { Self("false".to_owned()) } else { Self(format!("({})", all.join(" OR "))) }
    }

    /// The statement that looks over some villages ($1) for households whose newest window ended after a day ($2), on a day ($3).
    pub(super) fn look_over(&self) -> String {
        format!(
            "SELECT count(*),
                    coalesce(array_agg(household_id) FILTER (WHERE {self} IS NOT FALSE OR elderly_rises_on <= $3), '{{}}')
             FROM profile
             WHERE region_code = ANY($1) AND window_ends_on > $2"
        )
    }

    fn everybody() -> Self {
        Self("true".to_owned())
    }
}

/// The monitoring line of the year in which the newest window ends.
struct Line {
    sql: String,
    least: i64,
    most: i64,
}

impl Line {
    fn of(rule_set: &RuleSet) -> Self {
        let mut lines = rule_set.lines.clone();
        lines.sort_by_key(|line| line.year);
        let amounts = || lines.iter().map(|line| line.fen);
        // Windows that end before all years with a line have that of the first.
        let first = amounts().next().unwrap_or(0);
        let latest_first = lines.iter().skip(1).rev();
        let cases: Vec<String> = latest_first
            .filter_map(|line| Some((NaiveDate::from_ymd_opt(line.year, 1, 1)?, line.fen)))
            .map(|(from, fen)| format!("WHEN window_ends_on >= DATE '{from}' THEN {}", bigint(fen)))
            .collect();
        let first = bigint(first);
        let sql = if cases.is_empty() { first } else { format!("CASE {} ELSE {first} END", cases.join(" ")) };
        Self { sql, least: amounts().min().unwrap_or(0), most: amounts().max().unwrap_or(0) }
    }
}

/// A number in SQL that always has a value, and what that can be.
struct Known {
    sql: String,
    least: i64,
    most: i64,
}

/// Translates what rules are made of.
struct Columns {
    line: Line,
}

impl Columns {
    /// SQL that is false only if the condition is; nothing where none can be given.
    fn may_hold(&self, condition: &Bool) -> Option<String> {
        match condition {
            // A side that is false decides, whether the other one has a value or not.
            Bool::And(of) => match (self.may_hold(&of.0), self.may_hold(&of.1)) {
                (Some(left), Some(right)) => Some(format!("({left} AND {right})")),
                (one, None) | (None, one) => one,
            },
            Bool::Or(of) => Some(format!("({} OR {})", self.may_hold(&of.0)?, self.may_hold(&of.1)?)),
            exact => self.bool(exact),
        }
    }

    /// SQL that says exactly what the condition says, of every household.
    fn bool(&self, condition: &Bool) -> Option<String> {
        Some(match condition {
            Bool::Literal(value) => value.to_string(),
            Bool::Field(Flag::HasPrevious) => "(previous_per_capita_net_income IS NOT NULL)".to_owned(),
            Bool::Field(flag) => flag.name().to_owned(),
            Bool::Not(value) => format!("(NOT {})", self.bool(value)?),
            Bool::And(of) => format!("({} AND {})", self.bool(&of.0)?, self.bool(&of.1)?),
            Bool::Or(of) => format!("({} OR {})", self.bool(&of.0)?, self.bool(&of.1)?),
            Bool::Ints(by, of) => format!("({} {} {})", self.int(&of.0)?.sql, sign(*by), self.int(&of.1)?.sql),
            Bool::Texts(by, of) => format!("({} {} {})", self.text(&of.0)?, sign(*by), self.text(&of.1)?),
            Bool::Bools(by, of) => format!("({} {} {})", self.bool(&of.0)?, sign(*by), self.bool(&of.1)?),
            Bool::In(of) => match &of.1 {
                List::Literal(items) => {
                    let item = self.text(&of.0)?;
                    let items: Vec<_> = items.iter().map(|item| self.text(item)).collect::<Option<_>>()?;
                    if items.is_empty() { "false".to_owned() } else { format!("({item} IN ({}))", items.join(", ")) }
                }
                List::Shocks | List::If(_) => return None,
            },
            Bool::HitBy(risk) => format!("(shocks & {} <> 0)", 1 << risk.index()),
            Bool::If(of) => {
                let (condition, yes, no) = (self.bool(&of.0)?, self.bool(&of.1)?, self.bool(&of.2)?);
                format!("(CASE WHEN {condition} THEN {yes} ELSE {no} END)")
            }
        })
    }

    /// SQL of a number, if it has a value for every household.
    fn int(&self, value: &Int) -> Option<Known> {
        match value {
            Int::Literal(value) => Some(Known { sql: bigint(*value), least: *value, most: *value }),
            Int::Field(number) => Some(self.field(*number)),
            Int::Negated(value) => {
                let Known { sql, least, most } = self.int(value)?;
                Some(Known { sql: format!("(- {sql})"), least: most.checked_neg()?, most: least.checked_neg()? })
            }
            Int::Of(operation, of) => applied(*operation, &self.int(&of.0)?, &self.int(&of.1)?),
            Int::If(of) => {
                let (condition, yes, no) = (self.bool(&of.0)?, self.int(&of.1)?, self.int(&of.2)?);
                let sql = format!("(CASE WHEN {condition} THEN {} ELSE {} END)", yes.sql, no.sql);
                Some(Known { sql, least: yes.least.min(no.least), most: yes.most.max(no.most) })
            }
            Int::Size(_) => None,
        }
    }

    fn field(&self, number: Number) -> Known {
        let (least, most) = number.bounds();
        let sql = match number {
            Number::Line => {
                return Known { sql: self.line.sql.clone(), least: self.line.least, most: self.line.most };
            }
            Number::PreviousPerCapitaNetIncome => format!("coalesce({}, 0)", number.name()),
            _ => format!("{}::bigint", number.name()),
        };
        Known { sql, least, most }
    }

    /// Texts are compared by their bytes.
    fn text(&self, text: &Text) -> Option<String> {
        Some(match text {
            // No text of Postgres holds it.
            Text::Literal(text) if text.contains('\0') => return None,
            Text::Literal(text) => format!("('{}' COLLATE \"C\")", text.replace('\'', "''")),
            Text::Field(word @ (Word::HousingGrade | Word::Support)) => format!("({} COLLATE \"C\")", word.name()),
            Text::If(of) => {
                let (condition, yes, no) = (self.bool(&of.0)?, self.text(&of.1)?, self.text(&of.2)?);
                format!("(CASE WHEN {condition} THEN {yes} ELSE {no} END)")
            }
        })
    }
}

/// The result of an operation, unless there are numbers for which it has none.
fn applied(operation: Arithmetic, left: &Known, right: &Known) -> Option<Known> {
    let (a, b) = ((left.least, left.most), (right.least, right.most));
    let largest = |bounds: (i64, i64)| Some(bounds.0.checked_abs()?.max(bounds.1.checked_abs()?));
    let (least, most) = match operation {
        Arithmetic::Add => (a.0.checked_add(b.0)?, a.1.checked_add(b.1)?),
        Arithmetic::Subtract => (a.0.checked_sub(b.1)?, a.1.checked_sub(b.0)?),
        Arithmetic::Multiply => {
            let corners = [(a.0, b.0), (a.0, b.1), (a.1, b.0), (a.1, b.1)];
            let products: Vec<i64> = corners.into_iter().map(|(a, b)| a.checked_mul(b)).collect::<Option<_>>()?;
            (*products.iter().min()?, *products.iter().max()?)
        }
        Arithmetic::Divide | Arithmetic::Remainder if b.0 <= 0 && b.1 >= 0 => return None,
        // No quotient by a whole number is larger than what is divided, and no remainder.
        Arithmetic::Divide | Arithmetic::Remainder => (-largest(a)?, largest(a)?),
        Arithmetic::Least => (a.0.min(b.0), a.1.min(b.1)),
        Arithmetic::Most => (a.0.max(b.0), a.1.max(b.1)),
    };
    let (left, right) = (&left.sql, &right.sql);
    let sql = match operation {
        Arithmetic::Add => format!("({left} + {right})"),
        Arithmetic::Subtract => format!("({left} - {right})"),
        Arithmetic::Multiply => format!("({left} * {right})"),
        Arithmetic::Divide => format!("({left} / {right})"),
        Arithmetic::Remainder => format!("({left} % {right})"),
        Arithmetic::Least => format!("least({left}, {right})"),
        Arithmetic::Most => format!("greatest({left}, {right})"),
    };
    Some(Known { sql, least, most })
}

fn bigint(value: i64) -> String {
    format!("'{value}'::bigint")
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}
