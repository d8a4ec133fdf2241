//! Refusals: what a service does not do, and why.

use std::{error::Error as StdError, time::Duration};

use super::ErrorKind;
use crate::limit::Limited;

/// A reason to refuse a request. `#[derive(Refusal)]` implements it from attributes on each variant.
pub trait Refusal {
    /// Kind, reason and field of this refusal.
    fn stated(&self) -> Stated<'_>;

    /// Every refusal that the type can produce.
    fn all() -> Vec<Listed>
    where
        Self: Sized;
}

/// All refusals of a service.
pub trait ServiceRefusal: Refusal + StdError + Send + Sync + 'static {
    /// The domain of its reasons, for example `shop.tongxin`.
    const DOMAIN: &'static str;
}

/// An error without its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stated<'error> {
    /// What the caller can do.
    pub kind: ErrorKind,
    /// The name of the error, which never changes.
    pub reason: &'static str,
    /// Path of the invalid field from the request, if there is one.
    pub field: Option<&'error str>,
    /// How long the caller has to wait before it may ask again, where that is known.
    pub retry_after: Option<Duration>,
    /// The limit that this refusal counts against: one that reveals that something exists which the caller may not see
    /// counts as a look-up of its subject.
    pub told: Option<Limited>,
}

impl<'error> Stated<'error> {
    /// A kind and a reason, without a field.
    #[must_use]
    pub const fn new(kind: ErrorKind, reason: &'static str) -> Self {
        Self { kind, reason, field: None, retry_after: None, told: None }
    }

    /// The same, about a field.
    #[must_use]
    pub const fn about(self, field: &'error str) -> Self {
        Self { field: Some(field), ..self }
    }

    /// The same, counted against a limit.
    #[must_use]
    pub const fn telling(self, told: Limited) -> Self {
        Self { told: Some(told), ..self }
    }
}

/// A refusal as listed in `proto/ERRORS.md`.
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
    /// The same without a field.
    #[must_use]
    pub const fn stated(self) -> Stated<'static> {
        Stated::new(self.kind, self.reason)
    }
}
