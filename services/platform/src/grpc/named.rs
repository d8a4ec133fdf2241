//! Sees to it that a method refuses only for reasons that the contract names with it.

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::Frame;
use tonic::{Status, body::Body};
use tonic_types::StatusExt as _;
use tracing::error;

use super::explain;
use crate::{
    access::MethodRule,
    error::{COMMON, ErrorKind},
};

/// An answer whose refusal, if it is one, has a reason that its method names.
pub(super) fn answer(rule: &MethodRule, response: Response<Body>) -> Response<Body> {
    unnamed(rule, response.headers()).map_or(response, Status::into_http)
}

/// The same of the end of a body.
pub(super) fn end(rule: &MethodRule, frame: Frame<Bytes>) -> Frame<Bytes> {
    let status = frame.trailers_ref().and_then(|trailers| unnamed(rule, trailers));
    status.map_or(frame, |status| explain::end(&status))
}

/// What is answered instead where a reason is not named: a fault of ours while we test, and a line of the log otherwise.
fn unnamed(rule: &MethodRule, headers: &HeaderMap) -> Option<Status> {
    let reason = Status::from_header_map(headers)?.get_details_error_info()?.reason;
    if rule.refuses.contains(&reason) || COMMON.iter().any(|common| common.reason == reason) {
        return None;
    }
    error!(reason, "a method refused for a reason that the contract does not name with it");
    let text = format!("the contract does not name the reason {reason} with this method");
    cfg!(debug_assertions).then(|| Status::new(ErrorKind::Internal.code(), text))
}
