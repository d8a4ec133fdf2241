//! Told to a caller whose time is over.

use tonic::{Code, Status};

use super::arrival::refusal;

/// `DEADLINE_EXCEEDED`, with its reason.
#[must_use]
pub fn late(text: &str) -> Status {
    refusal(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", text)
}
