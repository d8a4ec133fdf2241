//! Statuses as they travel.

use http::HeaderMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::error::Listed;

pub(super) const GRPC_STATUS: &str = "grpc-status";

/// The status code in headers or trailers; if headers have none, all is well so far.
pub(super) fn code(headers: &HeaderMap) -> Code {
    headers.get(GRPC_STATUS).map_or(Code::Ok, |status| Code::from_bytes(status.as_bytes()))
}

/// A refusal by the door, in the form of every other error.
pub(super) fn refuse(listed: Listed, text: impl Into<String>) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(listed.reason, "access.tongxin", []);
    Status::with_error_details(listed.kind.code(), text, details)
}
