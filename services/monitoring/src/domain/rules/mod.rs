//! Rules as CEL expressions without loops: parsed by crate `cel`, type-checked and compiled here when they are
//! stored, so that a household is checked in a fraction of a microsecond and nothing can go wrong but arithmetic.

mod check;
mod error;
mod fields;
mod inputs;
mod message;
mod parse;
#[cfg(test)]
pub mod tests;
pub mod tree;

use std::fmt;

pub use error::CompileError;
pub use fields::{FieldSet, Flag, Number, Word};
pub use inputs::Inputs;
pub use message::Message;
pub use tree::EvalError;
use tree::Tree;

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A whole number.
    Int,
    /// True or false.
    Bool,
    /// Text.
    String,
    /// A list of texts.
    List,
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Int => "a number",
            Self::Bool => "true or false",
            Self::String => "a text",
            Self::List => "a list of texts",
        })
    }
}

/// A compiled condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    condition: tree::Bool,
    fields: FieldSet,
}

impl Expression {
    /// Parses, checks and compiles a condition.
    ///
    /// # Errors
    /// When it is no expression, asks about a field that there is not, is not of type bool, loops, or is too large.
    pub fn compile(text: &str) -> Result<Self, CompileError> {
        let (tree, fields) = parse::parse(text, check::check)?;
        match tree {
            Tree::Bool(condition) => Ok(Self { condition, fields }),
            other => Err(check::wanted("a condition", Type::Bool, &other)),
        }
    }

    /// What it is made of.
    #[must_use]
    pub fn condition(&self) -> &tree::Bool {
        &self.condition
    }

    /// The fields that it asks about.
    #[must_use]
    pub fn fields(&self) -> FieldSet {
        self.fields
    }

    /// Whether it holds for a household.
    ///
    /// # Errors
    /// When a number overflows or is divided by zero.
    pub fn eval_bool(&self, inputs: &Inputs) -> Result<bool, EvalError> {
        self.condition.eval(inputs)
    }
}
