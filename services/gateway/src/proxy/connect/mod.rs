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
use tongxin_platform::grpc::{Unpacked, late};
use tonic::{Status, body::Body};
use tower::{Service, ServiceExt as _};

use self::{
    answer::Answers,
    envelope::{Envelope, PACKED, PLAIN, envelope},
    form::Framing,
    head::{GZIP, Head},
    outward::{NotTaken, Outward},
    question::Source,
};
pub(super) use self::{form::Form, head::TIMEOUT};
use super::{fault::Fault, rest::Rest};

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
        Ok(head) => Call::of(head, limits).answer(inner, parts, body).await,
        Err(status) => {
            drop(body);
            Err(status)
        }
    };
    match answered {
        Ok(answer) => answer,
        Err(status) => {
            rest.read().await;
            match form.framing {
                Framing::Whole => error::answer(&status),
                Framing::Envelopes => with_type(form, Full::from(error::end(Some(&status)))),
            }
        }
    }
}

/// A call that has begun.
struct Call {
    head: Head,
    limits: Limits,
    fault: Fault,
    over: CancellationToken,
}

impl Call {
    fn of(head: Head, limits: Limits) -> Self {
        Self { head, limits, fault: Fault::default(), over: CancellationToken::new() }
    }

    async fn answer<S>(self, inner: S, parts: Parts, body: Body) -> Result<Response<Body>, Status>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    {
        let mut extensions = parts.extensions;
        let source = Source::new(&self.head, Unpacked::of(&extensions), self.limits.max_bytes);
        // Whatever ends the answer ends the reading of the question.
        let over = self.over.clone().drop_guard();
        let messages = source.read(body, self.head.form.framing, self.fault.clone(), self.over.clone());
        extensions.insert(self.fault.clone());
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
        let over = |_| Err(late("not done within the time that the call allows"));
        let done = timeout_at(self.head.until, work).await.unwrap_or_else(over);
        done.map_err(|status| self.fault.found().unwrap_or(status))
    }

    /// The answer that is one message.
    async fn whole(self, message: Bytes) -> Result<Response<Body>, Status> {
        let Self { head, limits, .. } = self;
        let plain = head.form.codec.write(message, &head.method.output()).await?;
        let packed = if head.takes_packed { gzip::pack(&plain).await } else { None };
        let is_packed = packed.is_some();
        let bytes = packed.unwrap_or(plain);
        let mut answer = if head.method.is_client_streaming() {
            // The door lets go of a stream's answer when we have read it.
            with_type(head.form, outward::whole(limits.stall, bytes))
        } else {
            with_type(head.form, Full::from(bytes))
        };
        if is_packed {
            answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(GZIP));
        }
        Ok(answer)
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
                Ok(Some(message)) => out.send(message).await?,
                Ok(None) => break None,
                Err(status) => break Some(status),
            }
        };
        out.send(error::end(end.as_ref())).await
    }

    async fn envelope(&self, message: Envelope) -> Result<Bytes, Status> {
        let Head { form, method, takes_packed, .. } = &self.head;
        if form.codec == form::Codec::Proto && !takes_packed {
            return Ok(message.whole());
        }
        let plain = form.codec.write(message.message(), &method.output()).await?;
        let packed = if *takes_packed { gzip::pack(&plain).await } else { None };
        Ok(packed.map_or_else(|| envelope(PLAIN, &plain), |packed| envelope(PACKED, &packed)))
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
