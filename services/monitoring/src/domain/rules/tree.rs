//! Compiled expressions. Each type of value has a tree of its own, so nothing is left to check when one is
//! evaluated, and nothing is allocated.

use std::cmp::Ordering;

use super::{
    fields::{Flag, Number, Word},
    inputs::Inputs,
};
use crate::domain::risk::Risk;

/// Why an expression has no value for a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// A number that does not fit into 64 bits.
    #[error("a number is too large")]
    Overflow,
    /// Division by zero, or the remainder of it.
    #[error("a division by zero")]
    DivisionByZero,
}

/// An operation on two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`, towards 0.
    Divide,
    /// `%`, with the sign of the dividend.
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

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
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

/// A whole number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Int {
    /// A number.
    Literal(i64),
    /// A field.
    Field(Number),
    /// How many items a list has.
    Size(Box<List>),
    /// `-`.
    Negated(Box<Self>),
    /// An operation on two.
    Of(Arithmetic, Box<(Self, Self)>),
    /// `?:`.
    If(Box<(Bool, Self, Self)>),
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bool {
    /// True or false.
    Literal(bool),
    /// A field.
    Field(Flag),
    /// `!`.
    Not(Box<Self>),
    /// `&&`.
    And(Box<(Self, Self)>),
    /// `||`.
    Or(Box<(Self, Self)>),
    /// Two numbers compared.
    Ints(Comparison, Box<(Int, Int)>),
    /// Two texts compared.
    Texts(Comparison, Box<(Text, Text)>),
    /// Two conditions compared.
    Bools(Comparison, Box<(Self, Self)>),
    /// `in`.
    In(Box<(Text, List)>),
    /// A risk that is named in `shocks`.
    HitBy(Risk),
    /// `?:`.
    If(Box<(Self, Self, Self)>),
}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// A text.
    Literal(Box<str>),
    /// A field.
    Field(Word),
    /// `?:`.
    If(Box<(Bool, Self, Self)>),
}

/// A list of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// Texts.
    Literal(Vec<Text>),
    /// What hit the household.
    Shocks,
    /// `?:`.
    If(Box<(Bool, Self, Self)>),
}

/// An expression of any type.
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

/// `&&` and `||`: a side that decides makes up for an error of the other one.
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

    /// Visits its items, in their order.
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
