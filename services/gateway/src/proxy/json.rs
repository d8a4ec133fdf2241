//! Calls in JSON: POST `/<package.Service>/<Method>`, the unary form of the Connect protocol.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use futures::{Stream, StreamExt as _, stream};
use http::{
    HeaderMap, HeaderName, Method, Request, Response,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
    uri::PathAndQuery,
};
use prost_reflect::{DynamicMessage, MethodDescriptor};
use tongxin_proto::POOL;
use tonic::{Status, body::Body, client::Grpc, metadata::MetadataMap};
use tower::{Layer, Service, ServiceExt as _};

use super::{
    connect,
    dynamic::{DynamicCodec, read_json, to_json},
};

/// Headers that mean the same in gRPC.
const PASSED_ON: [&str; 3] = ["authorization", "traceparent", "tracestate"];

const TIMEOUT: &str = "connect-timeout-ms";

/// Longer than the door waits for anything.
const LONGEST: Duration = Duration::from_hours(1);

/// Answers calls in JSON by asking what it is laid around in gRPC, and lets calls in gRPC through.
#[derive(Debug, Clone)]
pub struct JsonEdge {
    max_bytes: usize,
}

impl JsonEdge {
    /// Takes bodies of so many bytes at most.
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes }
    }
}

impl<S> Layer<S> for JsonEdge {
    type Service = Edged<S>;

    fn layer(&self, inner: S) -> Edged<S> {
        Edged { inner, max_bytes: self.max_bytes }
    }
}

/// A gRPC service that answers JSON as well.
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

    fn call(&mut self, request: Request<Body>) -> Answer {
        let (inner, max_bytes) = (self.inner.clone(), self.max_bytes);
        match Form::of(request.headers()) {
            Form::Grpc => Box::pin(inner.oneshot(request)),
            Form::Json if request.method() == Method::POST => Box::pin(async move {
                let answered = call(inner, request, max_bytes).await;
                Ok(answered.map_or_else(|status| connect::error(&status), connect::answer))
            }),
            Form::Json => Box::pin(std::future::ready(Ok(connect::post_only()))),
            Form::Other => Box::pin(std::future::ready(Ok(connect::json_only()))),
        }
    }
}

/// What a body is written in.
enum Form {
    Grpc,
    Json,
    Other,
}

impl Form {
    fn of(headers: &HeaderMap) -> Self {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media_type.as_str() {
            "application/json" => Self::Json,
            grpc if grpc.starts_with("application/grpc") => Self::Grpc,
            _ => Self::Other,
        }
    }
}

/// Asks in gRPC what was asked in JSON.
async fn call<S>(inner: S, request: Request<Body>, max_bytes: usize) -> Result<Vec<u8>, Status>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let (parts, body) = request.into_parts();
    let method = unary_method(parts.uri.path())?;
    let timeout = timeout(&parts.headers)?;
    refuse_compression(&parts.headers)?;

    // The body is read once the door has let the call in, not before.
    let fault: Arc<OnceLock<Status>> = Arc::default();
    let (found, input) = (Arc::clone(&fault), method.input());
    let message = stream::once(read_json(body, input, max_bytes)).filter_map(move |read| {
        let message = read.map_err(|error| found.set(error.into())).ok();
        std::future::ready(message)
    });
    let mut question = tonic::Request::from_parts(metadata(&parts.headers), tonic::Extensions::default(), message);
    question.set_timeout(timeout);
    let answered = tokio::time::timeout(timeout, ask(inner, question, &method, max_bytes)).await;
    if let Some(fault) = fault.get() {
        return Err(fault.clone());
    }
    let answer = answered.map_err(|_| Status::deadline_exceeded("not done within the time that the call allows"))??;
    Ok(to_json(&answer)?)
}

async fn ask<S, M>(
    inner: S,
    question: tonic::Request<M>,
    method: &MethodDescriptor,
    max_bytes: usize,
) -> Result<DynamicMessage, Status>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    M: Stream<Item = DynamicMessage> + Send + 'static,
{
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let path = PathAndQuery::try_from(path).map_err(|error| Status::internal(error.to_string()))?;
    let mut grpc = Grpc::new(inner).max_decoding_message_size(max_bytes);
    let Ok(()) = grpc.ready().await;
    let answer = grpc.client_streaming(question, path, DynamicCodec::answering(method)).await?;
    Ok(answer.into_inner())
}

fn unary_method(path: &str) -> Result<MethodDescriptor, Status> {
    let method = find_method(path).ok_or_else(|| Status::unimplemented(format!("there is no method {path}")))?;
    if method.is_client_streaming() || method.is_server_streaming() {
        return Err(Status::unimplemented(format!("{path} sends messages in a stream: call it in gRPC")));
    }
    Ok(method)
}

fn find_method(path: &str) -> Option<MethodDescriptor> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    POOL.get_service_by_name(service)?.methods().find(|known| known.name() == method)
}

fn metadata(headers: &HeaderMap) -> MetadataMap {
    let named = |name| Some((HeaderName::from_static(name), headers.get(name)?.clone()));
    MetadataMap::from_headers(PASSED_ON.into_iter().filter_map(named).collect())
}

/// The caller's time in milliseconds; the door has its own limit besides.
fn timeout(headers: &HeaderMap) -> Result<Duration, Status> {
    let Some(value) = headers.get(TIMEOUT) else { return Ok(LONGEST) };
    let milliseconds = value.to_str().ok().filter(|text| text.len() <= 10).and_then(|text| text.parse().ok());
    let milliseconds = milliseconds
        .ok_or_else(|| Status::invalid_argument(format!("{TIMEOUT} has to be a number of milliseconds")))?;
    Ok(LONGEST.min(Duration::from_millis(milliseconds)))
}

fn refuse_compression(headers: &HeaderMap) -> Result<(), Status> {
    match headers.get(CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => Err(Status::unimplemented("send JSON without compression")),
        _ => Ok(()),
    }
}
