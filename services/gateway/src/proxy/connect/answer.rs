//! The messages of a gRPC response.

use bytes::Bytes;
use http::{HeaderMap, Response};
use tonic::{Code, Status, body::Body};

use super::envelope::{Envelope, Envelopes, Fault, PLAIN};
use crate::proxy::EdgeRefused;

/// A response without an error in its head.
pub(super) struct Answers {
    envelopes: Envelopes,
    /// The trailers in the head of a response without messages.
    end: Option<HeaderMap>,
}

impl Answers {
    /// Fails if the head is an error. `most` is the maximum size of a message in bytes.
    pub(super) fn of(answer: Response<Body>, most: usize) -> Result<Self, Status> {
        let (parts, body) = answer.into_parts();
        let status = Status::from_header_map(&parts.headers);
        let end = match status {
            Some(status) if status.code() != Code::Ok => return Err(status),
            status => status.map(|_| parts.headers),
        };
        Ok(Self { envelopes: Envelopes::new(body, most), end })
    }

    /// The next message; `None` at a successful end.
    pub(super) async fn next(&mut self) -> Result<Option<Envelope>, Status> {
        match self.envelopes.next().await {
            Ok(Some(envelope)) if envelope.flags == PLAIN => Ok(Some(envelope)),
            Ok(Some(_)) => Err(malformed("a message is compressed")),
            Ok(None) => self.ended(),
            Err(Fault::Broken(status)) => Err(status),
            Err(Fault::EndsEarly) => Err(malformed("it ends within a message")),
            Err(Fault::TooLarge) => Err(EdgeRefused::AnswerTooLarge.into()),
        }
    }

    /// The only message.
    pub(super) async fn one(&mut self) -> Result<Bytes, Status> {
        let first = self.next().await?.ok_or_else(|| malformed("it has no message"))?;
        match self.next().await? {
            None => Ok(first.message()),
            Some(_) => Err(malformed("it has more than one message")),
        }
    }

    fn ended(&mut self) -> Result<Option<Envelope>, Status> {
        let end = self.envelopes.trailers().or_else(|| self.end.take());
        match end.as_ref().and_then(Status::from_header_map) {
            Some(status) if status.code() == Code::Ok => Ok(None),
            Some(status) => Err(status),
            None => Err(malformed("it has no status")),
        }
    }
}

fn malformed(fault: &'static str) -> Status {
    EdgeRefused::AnswerMalformed(fault.into()).into()
}
