//! The Connect protocol: converts a call to gRPC, and its response back to Connect.
//!
//! | file | |
//! |---|---|
//! | `form`     | codec and framing: binary or JSON, one message or a sequence |
//! | `head`     | parses the head of a call, and builds the head of the gRPC call |
//! | `question` | the request's messages |
//! | `answer`, `outward` | the response's messages, and how they are sent |
//! | `envelope` | length-prefixed messages, the same in gRPC |
//! | `gzip`, `json` | compression and JSON |
//! | `turns`    | a fair queue for the parsing of large messages |
//! | `error`    | errors, with the same details as in gRPC |

mod answer;
mod envelope;
mod error;
mod form;
mod gzip;
mod head;
mod json;
mod outward;
mod question;
mod turns;

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
    request::Parts,
};
use http_body_util::Full;
use tokio::time::timeout_at;
use tokio_util::sync::CancellationToken;
use tongxin_platform::grpc::{Unpacked, too_late};
use tonic::{Status, body::Body};
use tower::{Service, ServiceExt as _};

use self::{
    answer::Answers,
    envelope::{Envelope, PACKED, PLAIN, envelope},
    form::{Codec, Framing},
    head::{GZIP, Head},
    outward::{NotTaken, Outward},
    question::Source,
};
pub(super) use self::{form::Form, head::TIMEOUT};
use super::{fault::Fault, rest::Rest, upstreams::Whole};

/// Limits of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Maximum size of a message, compressed and uncompressed.
    pub(super) max_bytes: usize,
    /// How long a caller may accept nothing of a response.
    pub(super) stall: Duration,
}

/// Carries out a call, and responds in its own form.
pub(super) async fn call<S>(inner: S, request: Request<Body>, form: Form, limits: Limits) -> Response<Body>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let (request, rest) = Rest::of(request);
    let (parts, body) = request.into_parts();
    let answered = match Head::read(&parts, form) {
        Ok(head) => Call::of(head, limits, Unpacked::of(&parts.extensions)).answer(inner, parts, body).await,
        Err(status) => {
            drop(body);
            Err(status)
        }
    };
    match answered {
        Ok(answer) => answer,
        Err(status) => {
            rest.read().await;
            refused(form, &status)
        }
    }
}

/// The error response.
pub(super) fn refused(form: Form, status: &Status) -> Response<Body> {
    match form.framing {
        Framing::Whole => error::answer(status),
        Framing::Envelopes => with_type(form, Full::from(error::end(Some(status)))),
    }
}

/// A call whose head is valid.
struct Call {
    head: Head,
    limits: Limits,
    fault: Fault,
    over: CancellationToken,
    unpacked: Option<Unpacked>,
}

impl Call {
    fn of(head: Head, limits: Limits, unpacked: Option<Unpacked>) -> Self {
        Self { head, limits, fault: Fault::default(), over: CancellationToken::new(), unpacked }
    }

    async fn answer<S>(self, inner: S, parts: Parts, body: Body) -> Result<Response<Body>, Status>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    {
        let mut extensions = parts.extensions;
        let source = Source::new(&self.head, self.unpacked.clone(), self.limits.max_bytes);
        // When the response ends for any reason, reading the request ends, too.
        let over = self.over.clone().drop_guard();
        let messages = source.read(body, self.head.form.framing, self.fault.clone(), self.over.clone());
        extensions.insert(self.fault.clone());
        if self.head.form.framing == Framing::Whole {
            extensions.insert(Whole);
        }
        let question = self.head.question(extensions, messages)?;
        let asked = async {
            let Ok(answer) = inner.oneshot(question).await;
            Answers::of(answer, self.limits.max_bytes)
        };
        let mut answers = self.in_time(asked).await?;
        match self.head.form.framing {
            Framing::Whole => {
                let message = self.in_time(answers.one()).await?;
                self.whole(message).await
            }
            Framing::Envelopes => Ok(self.stream(answers, over)),
        }
    }

    /// Runs work until the caller's deadline. If it fails, a fault of the request takes precedence over the error.
    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
        let done = timeout_at(self.head.until, work).await.unwrap_or_else(|_| Err(too_late()));
        done.map_err(|status| self.fault.found().unwrap_or(status))
    }

    /// The response of one message.
    async fn whole(self, message: Bytes) -> Result<Response<Body>, Status> {
        let plain = self.written(message).await?;
        let Self { head, limits, unpacked, .. } = self;
        let packed = if head.takes_packed { gzip::pack(&plain).await } else { None };
        let is_packed = packed.is_some();
        let bytes = packed.unwrap_or(plain);
        let mut answer = if head.method.is_client_streaming() {
            // The access layer releases the response of a stream once we have read it, so the response ends after
            // `stall`.
            with_type(head.form, outward::counted(outward::whole(limits.stall, bytes), unpacked))
        } else {
            with_type(head.form, outward::counted(Body::new(Full::from(bytes)), unpacked))
        };
        if is_packed {
            answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(GZIP));
        }
        Ok(answer)
    }

    /// Encodes a response message. Its size in JSON is charged to the caller until it is sent.
    async fn written(&self, message: Bytes) -> Result<Bytes, Status> {
        let Form { codec, .. } = self.head.form;
        let caller = self.unpacked.as_ref().and_then(Unpacked::subject).unwrap_or_default();
        let plain = codec.write(message, self.head.method.output(), caller).await?;
        if let (Codec::Json, Some(unpacked)) = (codec, &self.unpacked) {
            unpacked.charge(plain.len())?;
        }
        Ok(plain)
    }

    /// The response of prefixed messages.
    fn stream(self, answers: Answers, over: impl Send + 'static) -> Response<Body> {
        let (form, takes_packed) = (self.head.form, self.head.takes_packed);
        let body = outward::body(self.limits.stall, |out| async move {
            let sent = self.send(answers, &out).await;
            drop(over);
            sent
        });
        let mut answer = with_type(form, body);
        answer.headers_mut().insert(head::TAKES, HeaderValue::from_static(GZIP));
        if takes_packed {
            answer.headers_mut().insert(head::PACKED, HeaderValue::from_static(GZIP));
        }
        answer
    }

    async fn send(self, mut answers: Answers, out: &Outward) -> Result<(), NotTaken> {
        let end = loop {
            let message = async {
                let Some(message) = answers.next().await? else { return Ok(None) };
                self.envelope(message).await.map(Some)
            };
            match self.in_time(message).await {
                Ok(Some((message, held))) => {
                    out.send(message).await?;
                    if let Some(unpacked) = &self.unpacked {
                        unpacked.release(held);
                    }
                }
                Ok(None) => break None,
                Err(status) => break Some(status),
            }
        };
        out.send(error::end(end.as_ref())).await
    }

    /// A prefixed message, and the number of bytes charged for it.
    async fn envelope(&self, message: Envelope) -> Result<(Bytes, usize), Status> {
        let Head { form, takes_packed, .. } = &self.head;
        if form.codec == Codec::Proto && !takes_packed {
            return Ok((message.whole(), 0));
        }
        let plain = self.written(message.message()).await?;
        let held = if form.codec == Codec::Json { plain.len() } else { 0 };
        let packed = if *takes_packed { gzip::pack(&plain).await } else { None };
        Ok((packed.map_or_else(|| envelope(PLAIN, &plain), |packed| envelope(PACKED, &packed)), held))
    }
}

fn with_type<B>(form: Form, body: B) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<tonic::codegen::StdError>,
{
    let mut answer = Response::new(Body::new(body));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(form.name()));
    answer
}
