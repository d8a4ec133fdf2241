//! Types of expressions.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Int,
    Bool,
    String,
    /// A list of strings.
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
