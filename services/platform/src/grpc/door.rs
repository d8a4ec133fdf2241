//! The door: a layer that every request passes before any code of a service.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::{
    GrpcConfig,
    admit::{admit, is_open},
    arrival::{Arrival, Held},
    bounded,
    method::MethodPath,
    named,
    network::forwarded_for,
    places::{Full, Owner, Place, Pot},
    punctual::{StatedTime, stated_timeout},
    refusals::Refusals,
    shed::Shed,
    status::{GRPC_STATUS, code, refuse},
    stream, told,
};
use crate::{
    access::{Access, Caller, MethodPermissions},
    db,
    error::common,
    telemetry::{self, RpcMetrics},
};

/// Sheds load, checks tokens and permissions, bounds time, and measures.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    access: Arc<Access>,
    permissions: MethodPermissions,
    pots: Pots,
    subject_share: u32,
    shares: BTreeMap<String, u32>,
    passes_on: bool,
    timeout: Duration,
    stream_timeout: Duration,
    stall: Duration,
    most_bytes: usize,
    shed: Shed,
    metrics: RpcMetrics,
    refusals: Refusals,
}

/// Places by kind, so that requests of one kind never take those of another.
struct Pots {
    unary: Arc<Pot>,
    streams: Arc<Pot>,
    log: Arc<Pot>,
    open: Arc<Pot>,
    /// Limited by address, not in total.
    addresses: Arc<Pot>,
    of_address: usize,
}

impl Door {
    /// The door of a server that offers the methods with these permissions.
    #[must_use]
    pub(super) fn new(
        access: Arc<Access>,
        permissions: MethodPermissions,
        config: &GrpcConfig,
        passes_on: bool,
        shed: Shed,
    ) -> Self {
        let pots = Pots {
            unary: Pot::new(config.max_requests),
            streams: Pot::new(config.max_streaming_requests),
            log: Pot::new(config.max_log_requests),
            open: Pot::new(OPEN_REQUESTS),
            addresses: Pot::new(usize::MAX),
            of_address: config.max_per_address,
        };
        Self(Arc::new(Inner {
            access,
            permissions,
            pots,
            subject_share: config.subject_share_percent,
            shares: config.shares.clone(),
            passes_on,
            timeout: Duration::from_secs(config.timeout_seconds),
            stream_timeout: Duration::from_secs(config.stream_timeout_seconds),
            stall: Duration::from_secs(config.stall_seconds),
            most_bytes: config.max_message_bytes,
            shed,
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

/// Health and reflection streams have their own limits of number and time, so that they are answered under load and
/// cannot displace authenticated calls. `Health/Check` takes no place: it is answered from memory.
const OPEN_REQUESTS: usize = 16;
const OPEN_TIME: Duration = Duration::from_mins(1);

/// Needs no place.
const CHECK: &str = "/grpc.health.v1.Health/Check";

/// Calls of consumers.
const LOG: &str = "/tongxin.log.v1.LogService/";

/// Length of a message's flag and length prefix.
const MESSAGE_HEAD: usize = 5;

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
        // Readiness is awaited per request, within its time.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        let door = Arc::clone(&self.door.0);
        let inner = self.inner.clone();
        let span = telemetry::rpc_span(door.known(request.uri().path()), request.headers());
        // From now on, not from the first poll.
        let stated = StatedTime::of(request.headers());
        let work = async move {
            let visit = Visit { started: Instant::now(), path: request.uri().path().to_owned() };
            let passed = stated.bound(door.pass(&visit, request, inner)).await;
            Ok(match passed.unwrap_or_else(|| Err(told::too_late())) {
                Ok(response) => door.named(&visit.path, response).map(bounded::body),
                Err(status) => {
                    door.record(&visit, status.code());
                    bounded::answer(status.into_http())
                }
            })
        };
        Box::pin(work.instrument(span))
    }
}

/// A request being handled.
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
        let arrival = request.extensions().get::<Arrival>().cloned();
        let peer = arrival.as_ref().and_then(Arrival::peer).cloned();
        let timeout = self.timeout_of(&visit.path);
        let moment = visit.started + timeout;
        let waits_until = stated_timeout(request.headers()).map_or(moment, |stated| moment.min(visit.started + stated));
        let held = if visit.path == CHECK {
            None
        } else if is_open(&visit.path) {
            let busy = peer.map(|peer| peer.busy(false));
            Some(Held { _place: self.place(&self.pots.open, None)?, _of_address: None, _busy: busy })
        } else {
            // Requests that are not admitted take no place.
            let admitted = admit(&self.access, &self.permissions, &self.refusals, &visit.path, request.headers());
            let caller = timeout_at(waits_until, admitted).await.unwrap_or_else(|_| {
                let text =
                    "the caller's time was over before it was known who calls: the keys of its issuer did not come";
                Err(told::late(text))
            })?;
            let owner = self.owner(&caller);
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(MethodPath(visit.path.clone()));
            let of_address = self.place_of_address(arrival.as_ref(), request.headers())?;
            let place = self.place(self.pot_of(&visit.path), Some(owner.clone()))?;
            if let Some(arrival) = &arrival {
                arrival.admit(owner, !(self.passes_on && self.client_streams(&visit.path)));
            }
            Some(Held { _place: place, _of_address: of_address, _busy: peer.map(|peer| peer.busy(true)) })
        };
        let answering = async {
            let answered = answer(inner, request).await;
            if let Some(fault) = arrival.as_ref().and_then(Arrival::fault) {
                return Err(fault);
            }
            let answered = answered?;
            if self.streams(&visit.path) { Ok(answered) } else { self.whole(answered).await }
        };
        match timeout_at(moment, db::wait_until(waits_until, answering)).await {
            Ok(answered) => Ok(self.see_off(visit.clone(), held, arrival, bounded::answer(told::explain(answered?)))),
            Err(_) => Err(told::late(format!("not done after {} seconds", timeout.as_secs()))),
        }
    }

    /// Checks that a refusal has a reason that the method names.
    fn named(&self, path: &str, response: Response<Body>) -> Response<Body> {
        let Some(rule) = self.permissions.of_method(path).filter(|_| !self.passes_on) else { return response };
        let of_end = Arc::clone(rule);
        named::answer(rule, response).map(|body| Body::new(body.map_frame(move |frame| named::end(&of_end, frame))))
    }

    /// Sends the response. A streamed one keeps its place until its end; any other is complete by now, and keeps its
    /// place until it is sent.
    fn see_off(
        self: &Arc<Self>,
        visit: Visit,
        held: Option<Held>,
        arrival: Option<Arrival>,
        response: Response<Body>,
    ) -> Response<Body> {
        if !self.streams(&visit.path) || response.headers().contains_key(GRPC_STATUS) {
            self.record(&visit, code(response.headers()));
            if let (Some(arrival), Some(held)) = (arrival, held) {
                arrival.keep(held);
            }
            return response;
        }
        let door = Arc::clone(self);
        let moment = visit.started + self.timeout_of(&visit.path);
        let stall = self.stall;
        let ended = move |code| {
            door.record(&visit, code);
            drop(held);
        };
        response.map(|body| stream::until(moment, stall, body, arrival, ended))
    }

    /// Buffers the whole response, so that a caller that does not read it holds up nothing behind us.
    async fn whole(&self, response: Response<Body>) -> Result<Response<Body>, Status> {
        // An error that is complete in its headers has to end there: some clients treat an empty body after it as a
        // fault.
        if response.body().is_end_stream() {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let whole = Limited::new(body, self.most_bytes + MESSAGE_HEAD).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                let text = "the answer is too large: ask for less at once";
                return refuse(common::ANSWER_TOO_LARGE, text);
            }
            Status::from_error(error)
        })?;
        Ok(Response::from_parts(parts, Body::new(whole)))
    }

    fn owner(&self, caller: &Caller) -> Owner {
        let of_roles = caller.roles().iter().filter_map(|role| self.shares.get(role)).max();
        let share = self.shares.get(caller.subject()).or(of_roles).copied().unwrap_or(self.subject_share);
        Owner { name: caller.subject().to_owned(), share }
    }

    fn place(&self, pot: &Arc<Pot>, owner: Option<Owner>) -> Result<Place, Status> {
        pot.take(owner).map_err(|full| {
            let (listed, what, text) = match full {
                Full::Pot => (common::OVERLOADED, "places", "too many requests at once"),
                Full::Share => (common::SHARE_EXHAUSTED, "share", "too many requests of yours at once"),
            };
            self.shed.count(what);
            refuse(listed, format!("{text}: wait and send the same request again"))
        })
    }

    /// Behind a proxy, connections say nothing about the caller: requests are counted by the forwarded address.
    fn place_of_address(&self, arrival: Option<&Arrival>, headers: &HeaderMap) -> Result<Option<Place>, Status> {
        let Some(peer) = arrival.and_then(Arrival::peer).filter(|peer| self.pots.of_address > 0 && peer.is_trusted())
        else {
            return Ok(None);
        };
        let Some(address) = forwarded_for(headers, |address| peer.trusts(address)) else { return Ok(None) };
        let place = self.pots.addresses.take_at_most(address.to_string(), self.pots.of_address);
        place.map(Some).map_err(|_| {
            self.shed.count("address");
            let text = "too many requests at once from your address: wait and send the same request again";
            refuse(common::SHARE_EXHAUSTED, text)
        })
    }

    fn pot_of(&self, path: &str) -> &Arc<Pot> {
        if path.starts_with(LOG) {
            &self.pots.log
        } else if self.streams(path) {
            &self.pots.streams
        } else {
            &self.pots.unary
        }
    }

    fn client_streams(&self, path: &str) -> bool {
        self.permissions.of_method(path).is_some_and(|rule| rule.client_streaming)
    }

    /// Whether messages stream, in or out. The single response to a client stream counts, too: it is as large as the
    /// stream was long.
    fn streams(&self, path: &str) -> bool {
        let rule = self.permissions.of_method(path);
        let streams = rule.is_some_and(|rule| rule.client_streaming || rule.server_streaming);
        streams || (is_open(path) && path != CHECK)
    }

    fn timeout_of(&self, path: &str) -> Duration {
        if is_open(path) {
            self.stream_timeout.min(OPEN_TIME)
        } else if self.streams(path) {
            self.stream_timeout
        } else {
            self.timeout
        }
    }

    fn record(&self, visit: &Visit, code: Code) {
        self.metrics.record(self.known(&visit.path), code, visit.started.elapsed());
    }

    /// Callers may request any path; metrics, spans and logs name only existing methods.
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
