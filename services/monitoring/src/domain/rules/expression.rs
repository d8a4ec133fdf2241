//! A compiled condition.

use super::{
    CompileError, EvalError, FieldSet, Inputs, Type, check, parse,
    tree::{self, Tree},
};

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
