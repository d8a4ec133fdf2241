//! Refusals: what a service does not do, and why.

use std::{error::Error as StdError, time::Duration};

use super::ErrorKind;
use crate::limit::Limited;

/// Why something that was asked for is not done. `#[derive(Refusal)]` implements it from attributes beside each variant.
pub trait Refusal {
    /// What it says to the caller.
    fn stated(&self) -> Stated<'_>;

    /// All that the type can say.
    fn all() -> Vec<Listed>
    where
        Self: Sized;
}

/// All refusals of a service.
pub trait ServiceRefusal: Refusal + StdError + Send + Sync + 'static {
    /// The domain of its reasons, for example `shop.tongxin`.
    const DOMAIN: &'static str;
}

/// What an error says besides its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stated<'error> {
    /// What the caller can do.
    pub kind: ErrorKind,
    /// The name of the error, which never changes.
    pub reason: &'static str,
    /// The request's field that is wrong, if one is: its path from the request.
    pub field: Option<&'error str>,
    /// How long the caller has to wait before it may ask again, where that is known.
    pub retry_after: Option<Duration>,
    /// What the refusal is as good as: one that tells that something exists which the caller may not see counts as a
    /// look-up of its subject.
    pub told: Option<Limited>,
}

impl<'error> Stated<'error> {
    /// A kind and a reason, about no field.
    #[must_use]
    pub const fn new(kind: ErrorKind, reason: &'static str) -> Self {
        Self { kind, reason, field: None, retry_after: None, told: None }
    }

    /// The same, about a field.
    #[must_use]
    pub const fn about(self, field: &'error str) -> Self {
        Self { field: Some(field), ..self }
    }

    /// The same, which tells what is limited.
    #[must_use]
    pub const fn telling(self, told: Limited) -> Self {
        Self { told: Some(told), ..self }
    }
}

/// A refusal as `proto/ERRORS.md` lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// The name of the error.
    pub reason: &'static str,
    /// What the caller can do.
    pub kind: ErrorKind,
    /// When it happens.
    pub when: &'static str,
}

impl Listed {
    /// The same as what an error says.
    #[must_use]
    pub const fn stated(self) -> Stated<'static> {
        Stated::new(self.kind, self.reason)
    }
}
