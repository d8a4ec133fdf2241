//! Why an expression is refused when it is stored.

/// Why an expression is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct CompileError {
    /// What kind of fault it is.
    pub fault: Fault,
    /// What is wrong, and what to write instead.
    pub text: String,
}

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not an expression.
    Syntax,
    /// A field or function that there is not.
    FieldUnknown,
    /// A value of a type that does not fit.
    TypeWrong,
    /// A loop, or too large.
    Unbounded,
}

impl CompileError {
    /// Its name, which never changes.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self.fault {
            Fault::Syntax => "RULE_SYNTAX",
            Fault::FieldUnknown => "RULE_FIELD_UNKNOWN",
            Fault::TypeWrong => "RULE_TYPE_WRONG",
            Fault::Unbounded => "RULE_UNBOUNDED",
        }
    }

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
