//! Gives a reason to the refusal of a message that is too large.

use http::Response;
use tonic::{Code, Status, body::Body};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::door::code;

const DETAILS: &str = "grpc-status-details-bin";

/// Names the reason where tonic itself has refused a message, which it does before any code of ours sees it.
pub(super) fn explain(response: Response<Body>) -> Response<Body> {
    let is_bare = code(response.headers()) == Code::OutOfRange && !response.headers().contains_key(DETAILS);
    match Status::from_header_map(response.headers()).filter(|_| is_bare) {
        Some(refused) => {
            let mut details = ErrorDetails::new();
            details.set_error_info("MESSAGE_TOO_LARGE", "access.tongxin", []);
            let text = format!("the message is too large, send it in parts: {}", refused.message());
            Status::with_error_details(Code::OutOfRange, text, details).into_http()
        }
        None => response,
    }
}
