//! Calls in JSON: POST `/<package.Service>/<Method>`, the unary form of the Connect protocol.

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderName, Request, Response, header::CONTENT_ENCODING, uri::PathAndQuery};
use prost_reflect::{DynamicMessage, MethodDescriptor};
use tongxin_proto::POOL;
use tonic::{Status, body::Body, client::Grpc, metadata::MetadataMap};
use tower::Service;

use super::dynamic::{DynamicCodec, read_json, to_json};

/// Headers that mean the same in gRPC.
const PASSED_ON: [&str; 3] = ["authorization", "traceparent", "tracestate"];

pub(super) const TIMEOUT: &str = "connect-timeout-ms";

/// Longer than the door waits for anything.
const LONGEST: Duration = Duration::from_hours(1);

/// Asks in gRPC what was asked in JSON.
pub(super) async fn call<S>(inner: S, request: Request<Body>, max_bytes: usize) -> Result<Vec<u8>, Status>
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
        let message = read.map_err(|error| found.set(error.into_status())).ok();
        std::future::ready(message)
    });
    let mut question = tonic::Request::from_parts(metadata(&parts.headers), parts.extensions, message);
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
    let method = find_method(path).ok_or_else(|| Status::unimplemented("there is no such method"))?;
    if method.is_client_streaming() || method.is_server_streaming() {
        return Err(Status::unimplemented("this method sends messages in a stream: call it in gRPC"));
    }
    Ok(method)
}

fn find_method(path: &str) -> Option<MethodDescriptor> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    POOL.get_service_by_name(service)?.methods().find(|known| known.name() == method)
}

fn metadata(headers: &HeaderMap) -> MetadataMap {
    // Every value of a name, so that the door sees two tokens where there are two.
    let values = |name| headers.get_all(name).iter().map(move |value| (HeaderName::from_static(name), value.clone()));
    let mut passed_on = HeaderMap::new();
    for (name, value) in PASSED_ON.into_iter().flat_map(values) {
        passed_on.append(name, value);
    }
    MetadataMap::from_headers(passed_on)
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
