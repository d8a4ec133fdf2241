//! What callers are told alike by every server, whichever protocol they speak.

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::Frame;
use tonic::{Code, Status, body::Body};

use super::{admit::refuse, door::code};
use crate::error::common;

const DETAILS: &str = "grpc-status-details-bin";

/// How tonic says that a call which has one message had none.
const NO_MESSAGE: &str = "Missing request message.";

/// How tonic says that a body is not made of messages, which it does before any code of ours sees it.
const MALFORMED: [&str; 3] =
    ["Unexpected EOF decoding stream.", "protocol error: received message with ", "Error decompressing: "];

/// How it says that it does not know a compression.
const COMPRESSED: &str = "Content is compressed with ";

/// Where it says which ones it knows.
const KNOWN: &str = "grpc-accept-encoding";

/// Told to a caller of a method that there is not.
#[must_use]
pub fn method_unknown() -> Status {
    refuse(common::METHOD_UNKNOWN, "there is no such method")
}

/// Told to a caller whose time, or ours, is over.
#[must_use]
pub fn late(text: impl Into<String>) -> Status {
    refuse(common::DEADLINE_EXCEEDED, text)
}

/// Told to a caller whose own time is over.
#[must_use]
pub fn too_late() -> Status {
    late("not done within the time that the caller gave")
}

/// Names the reason where tonic itself has refused a message.
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
    let is_ours = !matches!(code(headers), Code::OutOfRange | Code::Internal | Code::Unimplemented);
    if is_ours || headers.contains_key(DETAILS) {
        return None;
    }
    let refused = Status::from_header_map(headers)?;
    let text = refused.message();
    match refused.code() {
        Code::OutOfRange => {
            let text = format!("the message is too large, send it in parts: {text}");
            Some(refuse(common::MESSAGE_TOO_LARGE, text))
        }
        Code::Internal if text == NO_MESSAGE => {
            let text = "no message came: this method takes one, which may be empty but has to be sent";
            Some(refuse(common::MESSAGE_MALFORMED, text))
        }
        Code::Internal if MALFORMED.iter().any(|beginning| text.starts_with(beginning)) => {
            let text = format!("the body cannot be read: {text}");
            Some(refuse(common::MESSAGE_MALFORMED, text))
        }
        Code::Unimplemented if text.starts_with(COMPRESSED) => {
            let text = "grpc-encoding names a compression that is not known here: send identity";
            let mut told = refuse(common::COMPRESSION_UNKNOWN, text);
            if let Some(known) = refused.metadata().get(KNOWN) {
                told.metadata_mut().insert(KNOWN, known.clone());
            }
            Some(told)
        }
        _ => None,
    }
}
