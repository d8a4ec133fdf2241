//! Errors that every server returns alike, whichever protocol it speaks.

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::Frame;
use tonic::{Code, Status, body::Body};

use super::status::{code, refuse};
use crate::error::common;

const DETAILS: &str = "grpc-status-details-bin";

/// How tonic reports that a call with one message had none.
const NO_MESSAGE: &str = "Missing request message.";

/// How tonic reports that a body does not consist of messages, which it does before any of our code sees it.
const MALFORMED: [&str; 3] =
    ["Unexpected EOF decoding stream.", "protocol error: received message with ", "Error decompressing: "];

/// How tonic reports an unknown compression.
const COMPRESSED: &str = "Content is compressed with ";

/// Where tonic names the compressions that it knows.
const KNOWN: &str = "grpc-accept-encoding";

/// The error for a method that does not exist.
#[must_use]
pub fn method_unknown() -> Status {
    refuse(common::METHOD_UNKNOWN, "there is no such method")
}

/// The error for a deadline, the caller's or ours, that has passed.
#[must_use]
pub fn late(text: impl Into<String>) -> Status {
    refuse(common::DEADLINE_EXCEEDED, text)
}

/// The error for the caller's own deadline.
#[must_use]
pub fn too_late() -> Status {
    late("not done within the time that the caller gave")
}

/// Adds the reason where tonic itself has refused a message.
pub(super) fn explain(response: Response<Body>) -> Response<Body> {
    explained(response.headers()).map_or(response, Status::into_http)
}

/// As [`explain`], for the trailers of a streamed response.
pub(super) fn explain_end(frame: Frame<Bytes>) -> Frame<Bytes> {
    let refused = frame.trailers_ref().and_then(explained);
    refused.map_or(frame, |status| end(&status))
}

/// The trailers that end a response.
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
