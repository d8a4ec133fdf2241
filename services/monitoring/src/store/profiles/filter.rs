//! Translates rules to SQL so that a screening loads only households that might match. Of a million, a few thousand
//! remain.
//!
//! The translation may produce false positives, never false negatives: if SQL says false, the rule evaluates to false
//! without an error. Where a rule fails because it divides by zero, SQL yields NULL, which passes through `AND`, `OR`
//! and `NOT` as a rule's error does. False positives are harmless: every loaded household is judged by the rules
//! themselves. A condition that might overflow, or is not worth a translation, counts as true.

#[cfg(test)]
mod tests;

use std::fmt;

use chrono::NaiveDate;

use crate::domain::{
    risk::Risk,
    rule_set::RuleSet,
    rules::{
        Flag, Number, Word,
        tree::{Arithmetic, Bool, Comparison, Int, List, Text},
    },
};

/// Longer conditions are not worth it: a rule may name the line hundreds of times, each a choice among many years.
const MOST_BYTES: usize = 64 << 10;

/// A condition over the columns of `profile`. It contains only column names and literals that are quoted here, so it is
/// inserted into a statement as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(String);

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Filter {
    /// Matches households that a rule of any of some rule sets may hit.
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

    /// The statement that finds, in some villages ($1), households whose newest window ended after a day ($2), as of a
    /// day ($3).
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
        // Windows that end before the first year with a line use that one.
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

/// An SQL expression for a condition or a text.
struct Said {
    sql: String,
    /// Whether it is never NULL.
    always: bool,
}

impl Said {
    fn always(sql: String) -> Self {
        Self { sql, always: true }
    }

    /// A choice by a condition; NULL where that is NULL.
    fn either(condition: &Self, yes: &Self, no: &Self) -> Self {
        let sql = format!("(CASE {} WHEN true THEN {} WHEN false THEN {} END)", condition.sql, yes.sql, no.sql);
        Self { sql, always: condition.always && yes.always && no.always }
    }

    fn compared(by: Comparison, left: &Self, right: &Self) -> Self {
        Self { sql: format!("({} {} {})", left.sql, sign(by), right.sql), always: left.always && right.always }
    }
}

/// An SQL expression for a number, with its bounds.
struct Known {
    said: Said,
    least: i64,
    most: i64,
}

/// Translates the parts of rules.
struct Columns {
    line: Line,
}

impl Columns {
    /// SQL that is false only if the condition is; `None` if there is no translation.
    fn may_hold(&self, condition: &Bool) -> Option<String> {
        match condition {
            // A false side decides, whether or not the other one has a value.
            Bool::And(of) => match (self.may_hold(&of.0), self.may_hold(&of.1)) {
                (Some(left), Some(right)) => Some(format!("({left} AND {right})")),
                (one, None) | (None, one) => one,
            },
            Bool::Or(of) => Some(format!("({} OR {})", self.may_hold(&of.0)?, self.may_hold(&of.1)?)),
            exact => Some(self.bool(exact)?.sql),
        }
    }

    /// SQL that is equivalent to the condition, for every household.
    fn bool(&self, condition: &Bool) -> Option<Said> {
        let joined = |of: &(Bool, Bool), by: &str| {
            let (left, right) = (self.bool(&of.0)?, self.bool(&of.1)?);
            Some(Said { sql: format!("({} {by} {})", left.sql, right.sql), always: left.always && right.always })
        };
        Some(match condition {
            Bool::Literal(value) => Said::always(value.to_string()),
            Bool::Field(Flag::HasPrevious) => Said::always("(previous_per_capita_net_income IS NOT NULL)".to_owned()),
            Bool::Field(flag) => Said::always(flag.name().to_owned()),
            Bool::Not(value) => {
                let Said { sql, always } = self.bool(value)?;
                Said { sql: format!("(NOT {sql})"), always }
            }
            Bool::And(of) => joined(of, "AND")?,
            Bool::Or(of) => joined(of, "OR")?,
            Bool::Ints(by, of) => Said::compared(*by, &self.int(&of.0)?.said, &self.int(&of.1)?.said),
            Bool::Texts(by, of) => Said::compared(*by, &self.text(&of.0)?, &self.text(&of.1)?),
            Bool::Bools(by, of) => Said::compared(*by, &self.bool(&of.0)?, &self.bool(&of.1)?),
            Bool::In(of) => self.within(&of.0, &of.1)?,
            Bool::HitBy(risk) => Said::always(format!("(shocks & {} <> 0)", 1 << risk.index())),
            Bool::If(of) => Said::either(&self.bool(&of.0)?, &self.bool(&of.1)?, &self.bool(&of.2)?),
        })
    }

    /// Whether a text is in a list, if none of them can be NULL: a rule evaluates all items, SQL only those up to the
    /// first match.
    fn within(&self, item: &Text, list: &List) -> Option<Said> {
        let List::Literal(items) = list else { return None };
        let valued = |text: &Text| self.text(text).filter(|said| said.always).map(|said| said.sql);
        let item = valued(item)?;
        let items: Vec<_> = items.iter().map(valued).collect::<Option<_>>()?;
        let sql = if items.is_empty() { "false".to_owned() } else { format!("({item} IN ({}))", items.join(", ")) };
        Some(Said::always(sql))
    }

    /// SQL of a number, if it cannot overflow.
    fn int(&self, value: &Int) -> Option<Known> {
        match value {
            Int::Literal(value) => Some(Known { said: Said::always(bigint(*value)), least: *value, most: *value }),
            Int::Field(number) => Some(self.field(*number)),
            Int::Negated(value) => {
                let Known { said: Said { sql, always }, least, most } = self.int(value)?;
                let said = Said { sql: format!("(- {sql})"), always };
                Some(Known { said, least: most.checked_neg()?, most: least.checked_neg()? })
            }
            Int::Of(operation, of) => applied(*operation, &self.int(&of.0)?, &self.int(&of.1)?),
            Int::If(of) => {
                let (yes, no) = (self.int(&of.1)?, self.int(&of.2)?);
                let said = Said::either(&self.bool(&of.0)?, &yes.said, &no.said);
                Some(Known { said, least: yes.least.min(no.least), most: yes.most.max(no.most) })
            }
            Int::Size(list) => match &**list {
                List::Shocks => {
                    let most = i64::try_from(Risk::ALL.len()).ok()?;
                    Some(Known { said: Said::always("bit_count(shocks::bit(32))".to_owned()), least: 0, most })
                }
                List::Literal(_) | List::If(_) => None,
            },
        }
    }

    fn field(&self, number: Number) -> Known {
        let (least, most) = number.bounds();
        let sql = match number {
            Number::Line => {
                let Line { sql, least, most } = &self.line;
                return Known { said: Said::always(sql.clone()), least: *least, most: *most };
            }
            Number::PreviousPerCapitaNetIncome => format!("coalesce({}, 0)", number.name()),
            _ => format!("{}::bigint", number.name()),
        };
        Known { said: Said::always(sql), least, most }
    }

    /// Texts are compared bytewise.
    fn text(&self, text: &Text) -> Option<Said> {
        Some(match text {
            // Postgres cannot store it.
            Text::Literal(text) if text.contains('\0') => return None,
            Text::Literal(text) => Said::always(format!("('{}' COLLATE \"C\")", text.replace('\'', "''"))),
            Text::Field(word @ (Word::HousingGrade | Word::Support)) => {
                Said::always(format!("({} COLLATE \"C\")", word.name()))
            }
            Text::If(of) => Said::either(&self.bool(&of.0)?, &self.text(&of.1)?, &self.text(&of.2)?),
        })
    }
}

/// The result of an operation, unless it can overflow.
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
        // If one of both is NULL, Postgres returns the other.
        Arithmetic::Least | Arithmetic::Most if !(left.said.always && right.said.always) => return None,
        // No quotient or remainder of whole numbers is larger than the dividend.
        Arithmetic::Divide | Arithmetic::Remainder => (-largest(a)?, largest(a)?),
        Arithmetic::Least => (a.0.min(b.0), a.1.min(b.1)),
        Arithmetic::Most => (a.0.max(b.0), a.1.max(b.1)),
    };
    let may_be_zero = b.0 <= 0 && b.1 >= 0;
    let divides = matches!(operation, Arithmetic::Divide | Arithmetic::Remainder);
    let always = left.said.always && right.said.always && !(divides && may_be_zero);
    let divisor = || if may_be_zero { format!("nullif({}, 0)", right.said.sql) } else { right.said.sql.clone() };
    let (left, right) = (&left.said.sql, &right.said.sql);
    let sql = match operation {
        Arithmetic::Add => format!("({left} + {right})"),
        Arithmetic::Subtract => format!("({left} - {right})"),
        Arithmetic::Multiply => format!("({left} * {right})"),
        Arithmetic::Divide => format!("({left} / {})", divisor()),
        Arithmetic::Remainder => format!("({left} % {})", divisor()),
        Arithmetic::Least => format!("least({left}, {right})"),
        Arithmetic::Most => format!("greatest({left}, {right})"),
    };
    Some(Known { said: Said { sql, always }, least, most })
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
