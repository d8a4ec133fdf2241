//! Compiled expressions. Each type has its own tree, so evaluation checks no types and allocates nothing.

use std::cmp::Ordering;

use super::{
    fields::{Flag, Number, Word},
    inputs::Inputs,
};
use crate::domain::risk::Risk;

/// Why an expression has no value for a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// The number does not fit into 64 bits.
    #[error("a number is too large")]
    Overflow,
    /// Division or remainder by zero.
    #[error("a division by zero")]
    DivisionByZero,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    /// Rounds towards 0.
    Divide,
    /// Has the sign of the dividend.
    Remainder,
    /// `min()`.
    Least,
    /// `max()`.
    Most,
}

impl Arithmetic {
    fn apply(self, left: i64, right: i64) -> Result<i64, EvalError> {
        let value = match self {
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::Divide | Self::Remainder if right == 0 => return Err(EvalError::DivisionByZero),
            Self::Divide => left.checked_div(right),
            Self::Remainder => left.checked_rem(right),
            Self::Least => Some(left.min(right)),
            Self::Most => Some(left.max(right)),
        };
        value.ok_or(EvalError::Overflow)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Int {
    Literal(i64),
    Field(Number),
    Size(Box<List>),
    Negated(Box<Self>),
    Of(Arithmetic, Box<(Self, Self)>),
    If(Box<(Bool, Self, Self)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bool {
    Literal(bool),
    Field(Flag),
    Not(Box<Self>),
    And(Box<(Self, Self)>),
    Or(Box<(Self, Self)>),
    Ints(Comparison, Box<(Int, Int)>),
    Texts(Comparison, Box<(Text, Text)>),
    Bools(Comparison, Box<(Self, Self)>),
    In(Box<(Text, List)>),
    /// Whether `shocks` contains a risk.
    HitBy(Risk),
    If(Box<(Self, Self, Self)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    Literal(Box<str>),
    Field(Word),
    If(Box<(Bool, Self, Self)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    Literal(Vec<Text>),
    Shocks,
    If(Box<(Bool, Self, Self)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree {
    Int(Int),
    Bool(Bool),
    Text(Text),
    List(List),
}

impl Int {
    pub(super) fn eval(&self, inputs: &Inputs) -> Result<i64, EvalError> {
        match self {
            Self::Literal(value) => Ok(*value),
            Self::Field(number) => Ok(inputs.number(*number)),
            Self::Size(list) => list.size(inputs),
            Self::Negated(value) => value.eval(inputs)?.checked_neg().ok_or(EvalError::Overflow),
            Self::Of(operation, of) => operation.apply(of.0.eval(inputs)?, of.1.eval(inputs)?),
            Self::If(of) => if of.0.eval(inputs)? { &of.1 } else { &of.2 }.eval(inputs),
        }
    }
}

impl Bool {
    pub(super) fn eval(&self, inputs: &Inputs) -> Result<bool, EvalError> {
        match self {
            Self::Literal(value) => Ok(*value),
            Self::Field(flag) => Ok(inputs.flag(*flag)),
            Self::Not(value) => Ok(!value.eval(inputs)?),
            Self::And(of) => decide(false, of.0.eval(inputs), || of.1.eval(inputs)),
            Self::Or(of) => decide(true, of.0.eval(inputs), || of.1.eval(inputs)),
            Self::Ints(comparison, of) => Ok(comparison.holds(of.0.eval(inputs)?.cmp(&of.1.eval(inputs)?))),
            Self::Texts(comparison, of) => Ok(comparison.holds(of.0.eval(inputs)?.cmp(of.1.eval(inputs)?))),
            Self::Bools(comparison, of) => Ok(comparison.holds(of.0.eval(inputs)?.cmp(&of.1.eval(inputs)?))),
            Self::In(of) => of.1.contains(of.0.eval(inputs)?, inputs),
            Self::HitBy(risk) => Ok(inputs.is_hit_by(*risk)),
            Self::If(of) => if of.0.eval(inputs)? { &of.1 } else { &of.2 }.eval(inputs),
        }
    }
}

/// `&&` and `||`: if one side decides the result, an error of the other side is ignored.
fn decide(
    decisive: bool,
    left: Result<bool, EvalError>,
    right: impl FnOnce() -> Result<bool, EvalError>,
) -> Result<bool, EvalError> {
    if left == Ok(decisive) {
        return left;
    }
    match right() {
        Ok(right) if right == decisive => Ok(decisive),
        right => left.and(right),
    }
}

impl Text {
    pub(super) fn eval<'a>(&'a self, inputs: &Inputs) -> Result<&'a str, EvalError> {
        match self {
            Self::Literal(text) => Ok(text),
            Self::Field(word) => Ok(inputs.word(*word)),
            Self::If(of) => if of.0.eval(inputs)? { &of.1 } else { &of.2 }.eval(inputs),
        }
    }
}

impl List {
    fn size(&self, inputs: &Inputs) -> Result<i64, EvalError> {
        let mut size = 0;
        self.visit(inputs, &mut |_| size += 1)?;
        Ok(size)
    }

    fn contains(&self, wanted: &str, inputs: &Inputs) -> Result<bool, EvalError> {
        let mut found = false;
        self.visit(inputs, &mut |item| found |= item == wanted)?;
        Ok(found)
    }

    pub(super) fn visit(&self, inputs: &Inputs, visit: &mut dyn FnMut(&str)) -> Result<(), EvalError> {
        match self {
            Self::Literal(items) => items.iter().try_for_each(|item| item.eval(inputs).map(&mut *visit)),
            Self::Shocks => {
                inputs.shocks().map(Risk::name).for_each(visit);
                Ok(())
            }
            Self::If(of) => if of.0.eval(inputs)? { &of.1 } else { &of.2 }.visit(inputs, visit),
        }
    }
}
