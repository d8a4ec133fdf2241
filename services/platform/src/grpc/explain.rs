//! Gives a reason to what tonic itself refuses, before any code of ours sees it: a message that is too large, and none at all.

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::Frame;
use tonic::{Code, Status, body::Body};

use super::{admit::refuse, door::code};
use crate::error::common;

const DETAILS: &str = "grpc-status-details-bin";

/// How tonic says that a call which has one message had none.
const NO_MESSAGE: &str = "Missing request message.";

/// Names the reason where tonic has refused a message.
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
    let code = code(headers);
    if !matches!(code, Code::OutOfRange | Code::Internal) || headers.contains_key(DETAILS) {
        return None;
    }
    let refused = Status::from_header_map(headers)?;
    match code {
        Code::OutOfRange => {
            let text = format!("the message is too large, send it in parts: {}", refused.message());
            Some(refuse(common::MESSAGE_TOO_LARGE, text))
        }
        _ if refused.message() == NO_MESSAGE => {
            let text = "no message came: this method takes one, which may be empty but has to be sent";
            Some(refuse(common::MESSAGE_MALFORMED, text))
        }
        _ => None,
    }
}
