//! Compile errors of expressions.

use tongxin_platform::error::Refusal;

/// Why an expression is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Refusal)]
#[refusal(by = fault)]
#[error("{text}")]
pub struct CompileError {
    pub fault: Fault,
    /// What is wrong, and what to write instead.
    pub text: String,
}

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Refusal)]
pub enum Fault {
    /// It is not an expression.
    #[refusal(Invalid, "RULE_SYNTAX")]
    Syntax,
    /// It names a field or function that there is not.
    #[refusal(Invalid, "RULE_FIELD_UNKNOWN")]
    FieldUnknown,
    /// It has a value of a type that does not fit.
    #[refusal(Invalid, "RULE_TYPE_WRONG")]
    TypeWrong,
    /// It has a loop, or is too large.
    #[refusal(Invalid, "RULE_UNBOUNDED")]
    Unbounded,
}

impl CompileError {
    pub(super) fn syntax(text: impl Into<String>) -> Self {
        Self { fault: Fault::Syntax, text: text.into() }
    }

    pub(super) fn unknown(text: impl Into<String>) -> Self {
        Self { fault: Fault::FieldUnknown, text: text.into() }
    }

    pub(super) fn type_wrong(text: impl Into<String>) -> Self {
        Self { fault: Fault::TypeWrong, text: text.into() }
    }

    pub(super) fn unbounded(text: impl Into<String>) -> Self {
        Self { fault: Fault::Unbounded, text: text.into() }
    }
}
