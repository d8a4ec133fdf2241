//! Passes calls to the services that they are for, without decoding them.

use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    error::Error as _,
    sync::Arc,
};

use axum::extract::Request;
use http::{Response, header::HOST};
use tongxin_platform::{
    access::PermissionMissing,
    grpc::{ServerError, TlsConfig, secure_channel},
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

use crate::error::Error;

/// What every service has for itself, so that its name does not tell whose is meant.
const OWN: [&str; 2] = ["gateway", "log"];

/// Connections to the other services.
pub struct Upstreams(BTreeMap<String, Upstream>);

struct Upstream {
    channel: Channel,
    /// Full names of the gRPC services that it answers.
    services: Vec<String>,
}

impl Upstreams {
    /// Connects to services by their names, each when it is first needed.
    ///
    /// # Errors
    /// When an address or the certificates for it cannot be used, or the contract does not know the service.
    pub fn connect(addresses: &BTreeMap<String, Address>, tls: &TlsConfig) -> Result<Self, StartError> {
        let connect = |(name, address): (&String, &Address)| {
            let services = services_of(name);
            if services.is_empty() {
                let missing = PermissionMissing::Service(format!("tongxin.{name}"));
                return Err(ServerError::from(missing).into());
            }
            Ok((name.clone(), Upstream { channel: secure_channel(address.expose(), tls)?, services }))
        };
        addresses.iter().map(connect).collect::<Result<_, _>>().map(Self)
    }

    /// The connection to a service.
    pub fn channel(&self, name: &str) -> Option<Channel> {
        self.0.get(name).map(|upstream| upstream.channel.clone())
    }

    /// Full names of all gRPC services that are passed through.
    pub fn service_names(&self) -> Vec<String> {
        self.0.values().flat_map(|upstream| upstream.services.clone()).collect()
    }

    /// Passes on what the routes do not answer themselves.
    pub fn pass_through(&self, routes: Routes) -> Routes {
        let by_service = |upstream: &Upstream| {
            let channel = upstream.channel.clone();
            upstream.services.clone().into_iter().map(move |service| (service, channel.clone()))
        };
        let channels: HashMap<String, Channel> = self.0.values().flat_map(by_service).collect();
        let channels = Arc::new(channels);
        let pass = service_fn(move |request: Request| {
            let service = request.uri().path().trim_start_matches('/').split('/').next().unwrap_or_default();
            let channel = channels.get(service).cloned();
            async move { Ok::<_, Infallible>(pass(channel, request).await.unwrap_or_else(Status::into_http)) }
        });
        routes.into_axum_router().fallback_service(pass).into()
    }
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
async fn pass(channel: Option<Channel>, request: Request) -> Result<Response<Body>, Status> {
    let Some(channel) = channel else {
        return Err(Status::unimplemented("there is no such method"));
    };
    let (parts, body) = request.into_parts();
    let mut onward = http::Request::new(Body::new(body));
    *onward.method_mut() = parts.method;
    *onward.uri_mut() = parts.uri;
    *onward.headers_mut() = parts.headers;
    onward.headers_mut().remove(HOST);
    channel.oneshot(onward).await.map_err(|error| {
        // The connection keeps the caller's deadline, too, and may be the first to notice.
        if is_late(&error) {
            Status::deadline_exceeded("the time that the caller gave is over")
        } else {
            Error::from(error).into()
        }
    })
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
