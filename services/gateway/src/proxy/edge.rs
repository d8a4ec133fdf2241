//! Which protocol a request speaks, and what is done so that all else need only know gRPC.

use std::{
    convert::Infallible,
    future::{Future, ready},
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::Body as AxumBody;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header::CONTENT_TYPE};
use tonic::body::Body;
use tonic_web::GrpcWebLayer;
use tower::{Layer, Service, ServiceExt as _};

use super::{connect, json};

/// Answers calls in JSON and in gRPC-Web by asking what it is laid around in gRPC, and lets calls in gRPC through.
#[derive(Debug, Clone)]
pub struct WebEdge {
    max_bytes: usize,
}

impl WebEdge {
    /// Takes bodies in JSON of so many bytes at most.
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes }
    }
}

impl<S> Layer<S> for WebEdge {
    type Service = Edged<S>;

    fn layer(&self, inner: S) -> Edged<S> {
        Edged { inner, max_bytes: self.max_bytes }
    }
}

/// A gRPC service that answers the protocols of the web as well.
#[derive(Debug, Clone)]
pub struct Edged<S> {
    inner: S,
    max_bytes: usize,
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

    fn call(&mut self, mut request: Request<Body>) -> Answer {
        let (inner, max_bytes) = (self.inner.clone(), self.max_bytes);
        let is_post = request.method() == Method::POST;
        match Form::of(request.headers()) {
            Form::Grpc => Box::pin(inner.oneshot(request)),
            Form::GrpcWeb(_) | Form::Json if !is_post => Box::pin(ready(Ok(connect::post_only()))),
            Form::GrpcWeb(plain) => {
                // What is behind knows the name without parameters only.
                request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(plain));
                Box::pin(GrpcWebLayer::new().layer(inner.map_request(of_unknown_length)).oneshot(request))
            }
            Form::Json => Box::pin(async move {
                let answered = json::call(inner, request, max_bytes).await;
                Ok(answered.map_or_else(|status| connect::error(&status), connect::answer))
            }),
            Form::Other => Box::pin(ready(Ok(connect::other_form()))),
        }
    }
}

/// From base64 come fewer bytes than the body says, and whoever passes it on would promise too many.
fn of_unknown_length(request: Request<Body>) -> Request<Body> {
    request.map(|body| Body::new(AxumBody::from_stream(AxumBody::new(body).into_data_stream())))
}

/// The forms of gRPC-Web: binary, and the same in base64.
const GRPC_WEB: [&str; 4] = [
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/grpc-web-text",
    "application/grpc-web-text+proto",
];

/// What a body is written in.
#[derive(Debug, PartialEq, Eq)]
enum Form {
    Grpc,
    /// With its name.
    GrpcWeb(&'static str),
    Json,
    Other,
}

impl Form {
    fn of(headers: &HeaderMap) -> Self {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if let Some(web) = GRPC_WEB.into_iter().find(|form| *form == media_type) {
            return Self::GrpcWeb(web);
        }
        match media_type.as_str() {
            "application/json" => Self::Json,
            "application/grpc" => Self::Grpc,
            grpc if grpc.starts_with("application/grpc+") => Self::Grpc,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_says_what_is_spoken() {
        for (content_type, form) in [
            ("application/grpc", Form::Grpc),
            ("application/grpc+proto", Form::Grpc),
            ("application/grpc-web+proto", Form::GrpcWeb("application/grpc-web+proto")),
            ("Application/grpc-web-text; charset=utf-8", Form::GrpcWeb("application/grpc-web-text")),
            ("application/grpc-web+thrift", Form::Other),
            ("application/json; charset=utf-8", Form::Json),
            ("text/plain", Form::Other),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            assert_eq!(Form::of(&headers), form, "{content_type}");
        }
    }
}
