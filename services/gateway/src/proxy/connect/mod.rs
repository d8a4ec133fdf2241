//! The Connect protocol: a call is asked in gRPC, and what is answered is told in Connect.
//!
//! | file | |
//! |---|---|
//! | `form`     | binary or JSON, one message or many in envelopes |
//! | `head`     | what the head of a call says; the head of the same call in gRPC |
//! | `question` | the messages of the caller, on their way in |
//! | `answer`, `outward` | those of the service, and how they go out |
//! | `envelope` | a flag, a length and a message: the same in gRPC |
//! | `gzip`, `json` | what messages are packed and written in |
//! | `turns`    | whose large message is taken apart next |
//! | `error`    | errors, with the details that they have in gRPC |

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

/// What is taken, and how long is waited.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of a message, packed or not.
    pub(super) max_bytes: usize,
    /// Until something of an answer is taken.
    pub(super) stall: Duration,
}

/// Answers a call in the form that it came in.
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

/// The answer that is an error.
pub(super) fn refused(form: Form, status: &Status) -> Response<Body> {
    match form.framing {
        Framing::Whole => error::answer(status),
        Framing::Envelopes => with_type(form, Full::from(error::end(Some(status)))),
    }
}

/// A call that has begun.
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
        // Whatever ends the answer ends the reading of the question.
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

    /// What comes of something before the caller gives up; if it does not, then for the reason that came first.
    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
        let done = timeout_at(self.head.until, work).await.unwrap_or_else(|_| Err(too_late()));
        done.map_err(|status| self.fault.found().unwrap_or(status))
    }

    /// The answer that is one message.
    async fn whole(self, message: Bytes) -> Result<Response<Body>, Status> {
        let plain = self.written(message).await?;
        let Self { head, limits, unpacked, .. } = self;
        let packed = if head.takes_packed { gzip::pack(&plain).await } else { None };
        let is_packed = packed.is_some();
        let bytes = packed.unwrap_or(plain);
        let mut answer = if head.method.is_client_streaming() {
            // The door lets go of a stream's answer when we have read it.
            with_type(head.form, outward::counted(outward::whole(limits.stall, bytes), unpacked))
        } else {
            with_type(head.form, outward::counted(Body::new(Full::from(bytes)), unpacked))
        };
        if is_packed {
            answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(GZIP));
        }
        Ok(answer)
    }

    /// A message as it goes; it is counted as the caller's what becomes of it in JSON, until it is sent.
    async fn written(&self, message: Bytes) -> Result<Bytes, Status> {
        let Form { codec, .. } = self.head.form;
        let caller = self.unpacked.as_ref().and_then(Unpacked::subject).unwrap_or_default();
        let plain = codec.write(message, self.head.method.output(), caller).await?;
        if let (Codec::Json, Some(unpacked)) = (codec, &self.unpacked) {
            unpacked.charge(plain.len())?;
        }
        Ok(plain)
    }

    /// The answer that is messages in envelopes.
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

    /// A message in its envelope, and how many bytes are counted for it.
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
