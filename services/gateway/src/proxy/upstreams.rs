//! Forwards calls to the other services without decoding them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    convert::Infallible,
    error::Error as _,
    future::poll_fn,
    sync::Arc,
};

use axum::extract::Request;
use http::{
    Response,
    header::{CONTENT_LENGTH, HOST},
};
use tongxin_platform::{
    access::PermissionMissing,
    grpc::{ServerError, TlsConfig, method_unknown, secure_channel, too_late},
    secret::Address,
    service::StartError,
};
use tongxin_proto::POOL;
use tonic::{
    Status, TimeoutExpired,
    body::Body,
    service::Routes,
    transport::{self, Channel},
};
use tower::{ServiceExt as _, service_fn};

use super::{
    fault::Fault,
    lanes::{Lane, Lanes},
    packed::{Answered, Packed},
};
use crate::proxy::EdgeRefused;

/// Packages of every service: their names do not identify one.
const OWN: [&str; 2] = ["gateway", "log"];

/// Marks a request whose messages are complete, or known to be faulty, before the first one is forwarded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole;

pub struct Upstreams(BTreeMap<String, Upstream>);

struct Upstream {
    /// For event projection, so that callers never delay it.
    log: Channel,
    lanes: Lanes,
    services: Vec<String>,
}

impl Upstreams {
    /// Connects to services by name, lazily.
    pub fn connect(
        addresses: &BTreeMap<String, Address>,
        tls: &TlsConfig,
        connections: usize,
    ) -> Result<Self, StartError> {
        let connect = |(name, address): (&String, &Address)| {
            let services = services_of(name);
            if services.is_empty() {
                let missing = PermissionMissing::Service(format!("tongxin.{name}"));
                return Err(ServerError::from(missing).into());
            }
            let log = secure_channel(address.expose(), tls)?;
            let lanes = Lanes::connect(address.expose(), tls, connections)?;
            Ok((name.clone(), Upstream { log, lanes, services }))
        };
        addresses.iter().map(connect).collect::<Result<_, _>>().map(Self)
    }

    /// The connection for event projection.
    pub fn log_channel(&self, name: &str) -> Option<Channel> {
        self.0.get(name).map(|upstream| upstream.log.clone())
    }

    /// Full names of all gRPC services that calls are forwarded to.
    pub fn service_names(&self) -> Vec<String> {
        self.0.values().flat_map(|upstream| upstream.services.clone()).collect()
    }

    /// Forwards calls that the routes do not handle.
    pub fn pass_through(&self, routes: Routes) -> Routes {
        let by_service = |upstream: &Upstream| {
            let lanes = upstream.lanes.clone();
            upstream.services.clone().into_iter().map(move |service| (service, lanes.clone()))
        };
        let lanes: HashMap<String, Lanes> = self.0.values().flat_map(by_service).collect();
        let lanes = Arc::new(lanes);
        let pass = service_fn(move |request: Request| {
            let service = request.uri().path().trim_start_matches('/').split('/').next().unwrap_or_default();
            let lane = lanes.get(service).map(|lanes| lanes.of(request.uri().path()));
            async move { Ok::<_, Infallible>(pass(lane, request).await.unwrap_or_else(Status::into_http)) }
        });
        routes.into_axum_router().fallback_service(pass).into()
    }
}

/// Whether calls can be forwarded to a service of this name: the contract knows it, and it is not the gateway itself.
pub fn is_upstream(name: &str) -> bool {
    !services_of(name).is_empty()
}

pub fn upstream_names() -> BTreeSet<String> {
    let names = POOL.services().filter_map(|service| service.full_name().split('.').nth(1).map(str::to_owned));
    names.filter(|name| is_upstream(name)).collect()
}

/// gRPC services in the packages `tongxin.<name>.*`.
fn services_of(name: &str) -> Vec<String> {
    if OWN.contains(&name) {
        return Vec::new();
    }
    let package = format!("tongxin.{name}.");
    let services = POOL.services().filter(|service| service.full_name().starts_with(&package));
    services.map(|service| service.full_name().to_owned()).collect()
}

/// Forwards the request and the response, with trailers, unchanged except for headers of the connection.
async fn pass(lane: Option<Lane>, request: Request) -> Result<Response<Body>, Status> {
    let Some(lane) = lane else {
        return Err(method_unknown());
    };
    let (parts, body) = request.into_parts();
    let fault = parts.extensions.get::<Fault>().cloned();
    let answered = Answered::default();
    let mut packed = Packed::new(Body::new(body), answered.clone());
    if parts.extensions.get::<Whole>().is_some() {
        // If the call were forwarded earlier, the service would wait while we parse, and blame the caller for the
        // delay.
        poll_fn(|context| packed.poll_first(context)).await;
        if let Some(fault) = fault.as_ref().and_then(Fault::found) {
            return Err(fault);
        }
    }
    let mut onward = http::Request::new(Body::new(packed));
    *onward.method_mut() = parts.method;
    *onward.uri_mut() = parts.uri;
    *onward.headers_mut() = parts.headers;
    onward.headers_mut().remove(HOST);
    // The HTTP/2 connection does its own framing, and a wrong length would be our fault.
    onward.headers_mut().remove(CONTENT_LENGTH);
    let answer = lane.channel.clone().oneshot(onward).await.map_err(|error| {
        // The service is available, but the request body broke off.
        if let Some(fault) = fault.as_ref().and_then(Fault::found) {
            return fault;
        }
        // The connection enforces the caller's deadline, too, and may notice it first.
        if is_late(&error) { too_late() } else { EdgeRefused::from(error).into() }
    });
    // The connection counts as used until the response is complete.
    answer.map(|answer| answer.map(|body| lane.carry(body, answered)))
}

fn is_late(error: &transport::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<TimeoutExpired>() {
            return true;
        }
        cause = error.source();
    }
    false
}
