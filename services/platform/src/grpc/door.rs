//! The door: every request passes it, before any code of a service.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use http::{Request, Response};
use tokio::sync::Semaphore;
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::{
    GrpcConfig,
    admit::{admit, is_open, refuse},
};
use crate::{
    access::{Access, MethodPermissions},
    error::ErrorKind,
    telemetry::{self, RpcMetrics},
};

/// Path of the method that a request calls, for example `/tongxin.log.v1.LogService/GetHead`.
#[derive(Debug, Clone)]
pub struct MethodPath(pub String);

/// Sheds load, checks tokens and permissions, bounds time, and measures.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    access: Arc<Access>,
    permissions: MethodPermissions,
    places: Semaphore,
    timeout: Duration,
    metrics: RpcMetrics,
}

impl Door {
    /// The door of a server that offers the methods with these permissions.
    #[must_use]
    pub fn new(access: Arc<Access>, permissions: MethodPermissions, config: &GrpcConfig) -> Self {
        Self(Arc::new(Inner {
            access,
            permissions,
            places: Semaphore::new(config.max_requests),
            timeout: Duration::from_secs(config.timeout_seconds),
            metrics: RpcMetrics::new(),
        }))
    }
}

impl<S> Layer<S> for Door {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { door: self.clone(), inner }
    }
}

/// A service behind the door.
#[derive(Clone)]
pub struct Guarded<S> {
    door: Door,
    inner: S,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error: Into<tonic::codegen::StdError>>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Readiness is awaited for each request, within its time.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        let door = Arc::clone(&self.door.0);
        let inner = self.inner.clone();
        let span = telemetry::rpc_span(request.uri().path(), request.headers());
        let work = async move {
            let started = Instant::now();
            let path = request.uri().path().to_owned();
            let response = match door.pass(&path, request, inner).await {
                Ok(response) => response,
                Err(status) => status.into_http(),
            };
            door.metrics.record(door.known(&path), code(&response), started.elapsed());
            Ok(response)
        };
        Box::pin(work.instrument(span))
    }
}

impl Inner {
    async fn pass<S>(&self, path: &str, mut request: Request<Body>, inner: S) -> Result<Response<Body>, Status>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error: Into<tonic::codegen::StdError>>,
    {
        if is_open(path) {
            return answer(inner, request).await;
        }
        let Ok(_place) = self.places.try_acquire() else {
            let text = "too many requests at once: wait and send the same request again".to_owned();
            return Err(refuse(ErrorKind::Unavailable, "OVERLOADED", text));
        };
        let caller = admit(&self.access, &self.permissions, path, request.headers()).await?;
        let timeout = self.timeout_of(path);
        request.extensions_mut().insert(caller);
        request.extensions_mut().insert(MethodPath(path.to_owned()));
        match tokio::time::timeout(timeout, answer(inner, request)).await {
            Ok(answered) => answered,
            Err(_) => Err(Status::deadline_exceeded(format!("not done after {} seconds", timeout.as_secs()))),
        }
    }

    fn timeout_of(&self, path: &str) -> Duration {
        let streams = self.permissions.of_method(path).is_some_and(|rule| rule.client_streaming);
        if streams { self.timeout * 10 } else { self.timeout }
    }

    /// Callers could call anything; metrics name only what there is.
    fn known<'path>(&self, path: &'path str) -> &'path str {
        if is_open(path) || self.permissions.of_method(path).is_some() { path } else { "unknown" }
    }
}

async fn answer<S>(mut inner: S, request: Request<Body>) -> Result<Response<Body>, Status>
where
    S: Service<Request<Body>, Response = Response<Body>, Error: Into<tonic::codegen::StdError>>,
{
    let failed = |error: S::Error| Status::from_error(error.into());
    std::future::poll_fn(|context| inner.poll_ready(context)).await.map_err(failed)?;
    inner.call(request).await.map_err(failed)
}

/// The code of an answer; a stream that has begun well counts as well.
fn code(response: &Response<Body>) -> Code {
    let status = response.headers().get("grpc-status");
    status.map_or(Code::Ok, |status| Code::from_bytes(status.as_bytes()))
}
