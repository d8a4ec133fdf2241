//! Which protocol a request speaks, and what is done so that all else need only know gRPC.

use std::{
    convert::Infallible,
    future::{Future, ready},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    header::{ACCEPT, ALLOW, CONTENT_TYPE},
};
use http_body_util::Full;
use tongxin_platform::grpc::{StatedTime, too_late};
use tonic::{Status, body::Body};
use tower::{Layer, Service, ServiceExt as _};

use super::{
    connect::{self, Limits},
    media_type::media_type,
    web,
};

/// Answers calls in Connect and in gRPC-Web by asking what it is laid around in gRPC, and lets calls in gRPC through.
#[derive(Debug, Clone)]
pub struct WebEdge {
    limits: Limits,
}

impl WebEdge {
    /// Takes messages of so many bytes at most, and waits so long until something of an answer is taken.
    pub fn new(max_bytes: usize, stall: Duration) -> Self {
        Self { limits: Limits { max_bytes, stall } }
    }
}

impl<S> Layer<S> for WebEdge {
    type Service = Edged<S>;

    fn layer(&self, inner: S) -> Edged<S> {
        Edged { inner, limits: self.limits }
    }
}

/// A gRPC service that answers the protocols of the web as well.
#[derive(Debug, Clone)]
pub struct Edged<S> {
    inner: S,
    limits: Limits,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl<S> Service<Request<Body>> for Edged<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Readiness is awaited for each request.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        let (inner, limits) = (self.inner.clone(), self.limits);
        if request.method() != Method::POST {
            return Box::pin(ready(Ok(post_only())));
        }
        let (form, stated) = (Form::of(request.headers()), StatedTime::of(request.headers()));
        let accept = request.headers().get(ACCEPT).cloned();
        let call: Answer = match form {
            Form::Grpc => Box::pin(inner.oneshot(request)),
            Form::GrpcWeb(form) => Box::pin(web::call(inner, request, form)),
            Form::Connect(form) => Box::pin(async move { Ok(connect::call(inner, request, form, limits).await) }),
            Form::Other => return Box::pin(ready(Ok(other_form()))),
        };
        Box::pin(async move {
            let answered = stated.bound(call).await;
            answered.unwrap_or_else(|| Ok(form.refused(accept.as_ref(), &too_late())))
        })
    }
}

/// What a body is written in.
#[derive(Debug, PartialEq, Eq)]
enum Form {
    Grpc,
    /// With its name.
    GrpcWeb(&'static str),
    Connect(connect::Form),
    Other,
}

impl Form {
    /// The answer that is an error.
    fn refused(&self, accept: Option<&HeaderValue>, status: &Status) -> Response<Body> {
        match self {
            Self::Grpc | Self::Other => status.clone().into_http(),
            Self::GrpcWeb(asked) => web::refused(accept, asked, status),
            Self::Connect(form) => connect::refused(*form, status),
        }
    }

    fn of(headers: &HeaderMap) -> Self {
        let media_type = headers.get(CONTENT_TYPE).map(media_type).unwrap_or_default();
        if let Some(form) = web::form(&media_type) {
            return Self::GrpcWeb(form);
        }
        if let Some(form) = connect::Form::named(&media_type) {
            return Self::Connect(form);
        }
        match media_type.as_str() {
            // Messages are protobuf there, whatever else may stand behind the sign.
            "application/grpc" | "application/grpc+proto" => Self::Grpc,
            _ => Self::Other,
        }
    }
}

/// Content types that are taken.
const TAKEN: &str = "application/json, application/proto, application/connect+json, application/connect+proto, \
                     application/grpc, application/grpc-web, application/grpc-web-text";

/// To a request that is no POST.
fn post_only() -> Response<Body> {
    let sentence = "Calls are made by POST to /<package.Service>/<Method>, with the message as the body.\n";
    said(StatusCode::METHOD_NOT_ALLOWED, (ALLOW, "POST"), sentence.to_owned())
}

/// To a request in a form that we do not know.
fn other_form() -> Response<Body> {
    let sentence = format!("The content type is none of those that are taken: {TAKEN}.\n");
    said(StatusCode::UNSUPPORTED_MEDIA_TYPE, (HeaderName::from_static("accept-post"), TAKEN), sentence)
}

/// For whoever speaks no protocol of ours.
fn said(code: StatusCode, (name, value): (HeaderName, &'static str), sentence: String) -> Response<Body> {
    let mut answer = Response::new(Body::new(Full::from(sentence)));
    *answer.status_mut() = code;
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_says_what_is_spoken() {
        let connect = |name| Form::Connect(connect::Form::named(name).unwrap());
        for (content_type, form) in [
            ("application/grpc", Form::Grpc),
            ("application/grpc+proto", Form::Grpc),
            ("application/grpc-web+proto", Form::GrpcWeb("application/grpc-web+proto")),
            ("Application/grpc-web-text; charset=utf-8", Form::GrpcWeb("application/grpc-web-text")),
            ("application/grpc+json", Form::Other),
            ("application/grpc+", Form::Other),
            ("application/grpc-web+thrift", Form::Other),
            ("application/json; charset=utf-8", connect("application/json")),
            ("application/proto", connect("application/proto")),
            ("Application/Connect+json", connect("application/connect+json")),
            ("application/connect+proto", connect("application/connect+proto")),
            ("application/connect+thrift", Form::Other),
            ("text/plain", Form::Other),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            assert_eq!(Form::of(&headers), form, "{content_type}");
        }
    }
}
