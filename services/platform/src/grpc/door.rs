//! The door: every request passes it, before any code of a service.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, Request, Response};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::{
    GrpcConfig,
    admit::{admit, is_open, refuse},
    bounded,
    refusals::Refusals,
    stream, too_large,
};
use crate::{
    access::{Access, MethodPermissions},
    db,
    error::ErrorKind,
    telemetry::{self, RpcMetrics},
};

/// Path of the method that a request calls, for example `/tongxin.log.v1.LogService/GetHead`.
#[derive(Debug, Clone, Default)]
pub struct MethodPath(pub String);

impl MethodPath {
    /// That of a request which came through the door; empty for one that did not.
    #[must_use]
    pub fn of<M>(request: &tonic::Request<M>) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
    }
}

/// Sheds load, checks tokens and permissions, bounds time, and measures.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    access: Arc<Access>,
    permissions: MethodPermissions,
    places: Arc<Semaphore>,
    open_places: Arc<Semaphore>,
    timeout: Duration,
    stream_timeout: Duration,
    metrics: RpcMetrics,
    refusals: Refusals,
}

impl Door {
    /// The door of a server that offers the methods with these permissions.
    #[must_use]
    pub fn new(access: Arc<Access>, permissions: MethodPermissions, config: &GrpcConfig) -> Self {
        Self(Arc::new(Inner {
            access,
            permissions,
            places: Arc::new(Semaphore::new(config.max_requests)),
            open_places: Arc::new(Semaphore::new(OPEN_REQUESTS)),
            timeout: Duration::from_secs(config.timeout_seconds),
            stream_timeout: Duration::from_secs(config.stream_timeout_seconds),
            metrics: RpcMetrics::new(),
            refusals: Refusals::new(),
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

/// Requests at once that need no token. They have places of their own: whoever wants to know how we are is told
/// when we are busy, too, and keeps nobody out who has a token.
const OPEN_REQUESTS: usize = 64;

const GRPC_STATUS: &str = "grpc-status";

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
        let span = telemetry::rpc_span(door.known(request.uri().path()), request.headers());
        let work = async move {
            let visit = Visit { started: Instant::now(), path: request.uri().path().to_owned() };
            Ok(match door.pass(&visit, request, inner).await {
                Ok(response) => response.map(bounded::body),
                Err(status) => {
                    door.record(&visit, status.code());
                    bounded::answer(status.into_http())
                }
            })
        };
        Box::pin(work.instrument(span))
    }
}

/// A request on its way.
#[derive(Clone)]
struct Visit {
    started: Instant,
    path: String,
}

impl Inner {
    async fn pass<S>(
        self: &Arc<Self>,
        visit: &Visit,
        mut request: Request<Body>,
        inner: S,
    ) -> Result<Response<Body>, Status>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error: Into<tonic::codegen::StdError>>,
    {
        let place = if is_open(&visit.path) {
            place(&self.open_places)?
        } else {
            // Those who may not come in take no place.
            let caller = admit(&self.access, &self.permissions, &self.refusals, &visit.path, request.headers()).await?;
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(MethodPath(visit.path.clone()));
            place(&self.places)?
        };
        let timeout = self.timeout_of(&visit.path);
        let moment = visit.started + timeout;
        let waits_until = stated_timeout(request.headers()).map_or(moment, |stated| moment.min(visit.started + stated));
        match timeout_at(moment, db::wait_until(waits_until, answer(inner, request))).await {
            Ok(answered) => Ok(self.see_off(visit.clone(), place, bounded::answer(too_large::explain(answered?)))),
            Err(_) => Err(Status::deadline_exceeded(format!("not done after {} seconds", timeout.as_secs()))),
        }
    }

    /// Lets an answer go. One that streams keeps its place until its end; another one is made by
    /// now and only has to be sent.
    fn see_off(
        self: &Arc<Self>,
        visit: Visit,
        place: OwnedSemaphorePermit,
        response: Response<Body>,
    ) -> Response<Body> {
        let rule = self.permissions.of_method(&visit.path);
        let streams = is_open(&visit.path) || rule.is_some_and(|rule| rule.server_streaming);
        if !streams || response.headers().contains_key(GRPC_STATUS) {
            self.record(&visit, code(response.headers()));
            return response;
        }
        let door = Arc::clone(self);
        let moment = visit.started + self.stream_timeout;
        let ended = move |code| {
            door.record(&visit, code);
            drop(place);
        };
        response.map(|body| stream::until(moment, body, ended))
    }

    fn timeout_of(&self, path: &str) -> Duration {
        let rule = self.permissions.of_method(path);
        let streams = is_open(path) || rule.is_some_and(|rule| rule.client_streaming || rule.server_streaming);
        if streams { self.stream_timeout } else { self.timeout }
    }

    fn record(&self, visit: &Visit, code: Code) {
        self.metrics.record(self.known(&visit.path), code, visit.started.elapsed());
    }

    /// Callers could call anything; metrics, spans and logs name only what there is.
    fn known<'path>(&self, path: &'path str) -> &'path str {
        if is_open(path) || self.permissions.of_method(path).is_some() { path } else { "unknown" }
    }
}

fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Status> {
    Arc::clone(places).try_acquire_owned().map_err(|_| {
        let text = "too many requests at once: wait and send the same request again".to_owned();
        refuse(ErrorKind::Unavailable, "OVERLOADED", text)
    })
}

async fn answer<S>(mut inner: S, request: Request<Body>) -> Result<Response<Body>, Status>
where
    S: Service<Request<Body>, Response = Response<Body>, Error: Into<tonic::codegen::StdError>>,
{
    let failed = |error: S::Error| Status::from_error(error.into());
    std::future::poll_fn(|context| inner.poll_ready(context)).await.map_err(failed)?;
    inner.call(request).await.map_err(failed)
}

/// How long a caller waits, if it says so: at most eight digits and a unit.
pub(super) fn stated_timeout(headers: &HeaderMap) -> Option<Duration> {
    let stated = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = stated.split_at_checked(stated.len().checked_sub(1)?)?;
    let number: u32 = digits.parse().ok()?;
    let unit = match unit {
        "H" => Duration::from_hours(1),
        "M" => Duration::from_mins(1),
        "S" => Duration::from_secs(1),
        "m" => Duration::from_millis(1),
        "u" => Duration::from_micros(1),
        "n" => Duration::from_nanos(1),
        _ => return None,
    };
    // 99,999,999 hours are further away than any moment that there is a number for.
    Some(unit.saturating_mul(number).min(Duration::from_hours(24)))
}

/// The code that headers or trailers state; none in a head means that all is well so far.
pub(super) fn code(headers: &HeaderMap) -> Code {
    headers.get(GRPC_STATUS).map_or(Code::Ok, |status| Code::from_bytes(status.as_bytes()))
}
