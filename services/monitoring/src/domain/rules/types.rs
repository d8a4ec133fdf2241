//! Types of expressions.

use std::fmt;

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
