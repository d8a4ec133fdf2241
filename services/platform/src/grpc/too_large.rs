//! Gives a reason to the refusal of a message that is too large.

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::Frame;
use tonic::{Code, Status, body::Body};

use super::{admit::refuse, door::code};
use crate::error::common;

const DETAILS: &str = "grpc-status-details-bin";

/// Names the reason where tonic itself has refused a message, which it does before any code of ours sees it.
pub(super) fn explain(response: Response<Body>) -> Response<Body> {
    explained(response.headers()).map_or(response, Status::into_http)
}

/// As [`explain`], at the end of an answer that streams.
pub(super) fn explain_end(frame: Frame<Bytes>) -> Frame<Bytes> {
    let refused = frame.trailers_ref().and_then(explained);
    refused.map_or(frame, |status| end(&status))
}

/// The trailers that end an answer.
pub(super) fn end(status: &Status) -> Frame<Bytes> {
    let mut trailers = HeaderMap::new();
    // Fails for a text that a header cannot hold.
    let _ = status.add_header(&mut trailers);
    Frame::trailers(trailers)
}

fn explained(headers: &HeaderMap) -> Option<Status> {
    if code(headers) != Code::OutOfRange || headers.contains_key(DETAILS) {
        return None;
    }
    let refused = Status::from_header_map(headers)?;
    Some(refuse(
        common::MESSAGE_TOO_LARGE,
        format!("the message is too large, send it in parts: {}", refused.message()),
    ))
}
