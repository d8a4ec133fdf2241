//! Told to a caller whose time is over.

use tonic::Status;

use super::admit::refuse;
use crate::error::common;

/// `DEADLINE_EXCEEDED`, with its reason.
#[must_use]
pub fn late(text: &str) -> Status {
    refuse(common::DEADLINE_EXCEEDED, text)
}
