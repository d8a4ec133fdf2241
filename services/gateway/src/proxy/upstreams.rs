//! Passes calls to the services that they are for, without decoding them.

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

/// What every service has for itself, so that its name does not tell whose is meant.
const OWN: [&str; 2] = ["gateway", "log"];

/// Marks a question whose messages are all there, or all wrong, before the first of them is passed on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole;

/// Connections to the other services.
pub struct Upstreams(BTreeMap<String, Upstream>);

struct Upstream {
    /// For whoever follows its events: callers never hold those up.
    log: Channel,
    lanes: Lanes,
    /// Full names of the gRPC services that it answers.
    services: Vec<String>,
}

impl Upstreams {
    /// Connects to services by their names, each when it is first needed.
    ///
    /// # Errors
    /// When an address or the certificates for it cannot be used, or the contract does not know the service.
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

    /// The connection by which a service's events are followed.
    pub fn log_channel(&self, name: &str) -> Option<Channel> {
        self.0.get(name).map(|upstream| upstream.log.clone())
    }

    /// Full names of all gRPC services that are passed through.
    pub fn service_names(&self) -> Vec<String> {
        self.0.values().flat_map(|upstream| upstream.services.clone()).collect()
    }

    /// Passes on what the routes do not answer themselves.
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

/// Whether calls can be passed on to a service of this name: the contract knows it, and it is not the gateway itself.
pub fn is_upstream(name: &str) -> bool {
    !services_of(name).is_empty()
}

/// Names of all services that calls can be passed on to.
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

/// The request as it came, apart from what belongs to the connection; the answer as it comes, with
/// its trailers.
async fn pass(lane: Option<Lane>, request: Request) -> Result<Response<Body>, Status> {
    let Some(lane) = lane else {
        return Err(method_unknown());
    };
    let (parts, body) = request.into_parts();
    let fault = parts.extensions.get::<Fault>().cloned();
    let answered = Answered::default();
    let mut packed = Packed::new(Body::new(body), answered.clone());
    if parts.extensions.get::<Whole>().is_some() {
        // A service that is asked earlier waits for work of ours, and takes that for the caller's fault.
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
    // The connection frames the body by itself, and a length that it does not have is a fault of ours.
    onward.headers_mut().remove(CONTENT_LENGTH);
    let answer = lane.channel.clone().oneshot(onward).await.map_err(|error| {
        // The service is there: what was to be passed on broke off.
        if let Some(fault) = fault.as_ref().and_then(Fault::found) {
            return fault;
        }
        // The connection keeps the caller's deadline, too, and may be the first to notice.
        if is_late(&error) { too_late() } else { EdgeRefused::from(error).into() }
    });
    // The lane is taken until the answer has come whole.
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
