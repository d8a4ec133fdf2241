//! Builds and runs a gRPC server with limits that tonic leaves open.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tongxin_proto::{DESCRIPTORS, POOL};
use tonic::{body::Body, service::Routes, transport};
use tonic_health::{ServingStatus, server::HealthReporter};
use tower::util::{BoxCloneSyncServiceLayer, option_layer};

use super::{
    door::{Door, Guarded},
    incoming::incoming,
};
use crate::access::{Access, MethodPermissions, PermissionMissing};

/// Streams of a connection that its client may give up before we have looked at them; one more closes it. A client whose
/// calls end after milliseconds does so by the hundred when this machine is busy for a moment: its other calls must not end
/// with the connection.
const GIVEN_UP: usize = 1_024;

/// Limits of a gRPC server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrpcConfig {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Requests that are worked on at once; more are answered `UNAVAILABLE: OVERLOADED` at once.
    pub max_requests: usize,
    /// Connections at once; one more is closed.
    pub max_connections: usize,
    /// Requests at once on one connection.
    pub max_streams: u32,
    /// Seconds until a request is given up.
    pub timeout_seconds: u64,
    /// Seconds until a request is given up that sends a stream or is answered by one, whole.
    pub stream_timeout_seconds: u64,
    /// Largest message that is accepted, in bytes.
    pub max_message_bytes: usize,
    /// Whether HTTP/1 is answered as well, which gRPC itself does not use.
    pub accept_http1: bool,
}

impl Default for GrpcConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            max_requests: 512,
            max_connections: 1024,
            max_streams: 256,
            timeout_seconds: 30,
            stream_timeout_seconds: 600,
            max_message_bytes: 4 << 20,
            accept_http1: false,
        }
    }
}

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is not to be had.
    #[error("cannot listen on {0}: is another program using the port?")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// A method is unguarded.
    #[error(transparent)]
    Permission(#[from] PermissionMissing),
    /// The descriptors are broken.
    #[error("reflection cannot be served")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The server ended with an error.
    #[error("the gRPC server failed")]
    Transport(#[from] transport::Error),
}

/// What stands between the network and the door: answers other protocols by asking the door in gRPC.
pub type Edge = BoxCloneSyncServiceLayer<Guarded<Routes>, http::Request<Body>, http::Response<Body>, Infallible>;

/// A gRPC server that listens, and serves once it [`run`](Self::run)s.
pub struct Server {
    config: GrpcConfig,
    listener: TcpListener,
    door: Door,
    edge: Option<Edge>,
    routes: Routes,
    health: HealthReporter,
    services: Vec<String>,
}

impl Server {
    /// Listens for the services that `routes` answer and whose full names are given.
    ///
    /// # Errors
    /// When the address is taken, or a method has no permission in the contract.
    pub async fn bind(
        config: GrpcConfig,
        access: Arc<Access>,
        services: &[&str],
        routes: Routes,
    ) -> Result<Self, ServerError> {
        let permissions = MethodPermissions::of_services(&POOL, services)?;
        let door = Door::new(access, permissions, &config);
        let listener =
            TcpListener::bind(config.listen).await.map_err(|error| ServerError::Listen(config.listen, error))?;
        let (health, health_service) = tonic_health::server::health_reporter();
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        let routes = routes.add_service(health_service).add_service(reflection);
        let services = services.iter().map(ToString::to_string).collect();
        Ok(Self { config, listener, door, edge: None, routes, health, services })
    }

    /// Puts something outside of the door.
    #[must_use]
    pub fn with_edge(self, edge: Edge) -> Self {
        Self { edge: Some(edge), ..self }
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until told to stop, then finishes the requests that it has.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn run(self, stop: CancellationToken) -> Result<(), ServerError> {
        self.report(ServingStatus::Serving).await;
        let health = self.health.clone();
        let services = self.services.clone();
        let draining = {
            let stop = stop.clone();
            async move {
                stop.cancelled().await;
                for service in services.iter().map(String::as_str).chain([""]) {
                    health.set_service_status(service, ServingStatus::NotServing).await;
                }
            }
        };
        transport::Server::builder()
            .max_concurrent_streams(self.config.max_streams)
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .http2_keepalive_timeout(Some(Duration::from_secs(10)))
            .http2_max_header_list_size(32 << 10)
            .http2_max_pending_accept_reset_streams(Some(GIVEN_UP))
            // Bounds what breaking the protocol over and over can cost us.
            .http2_max_local_error_reset_streams(Some(64))
            .initial_connection_window_size(4 << 20)
            .initial_stream_window_size(1 << 20)
            .max_connection_age(Duration::from_hours(1))
            .max_connection_age_grace(Duration::from_mins(1))
            .accept_http1(self.config.accept_http1)
            .layer(option_layer(self.edge))
            .layer(self.door)
            .add_routes(self.routes)
            .serve_with_incoming_shutdown(incoming(self.listener, self.config.max_connections), draining)
            .await?;
        Ok(())
    }

    async fn report(&self, status: ServingStatus) {
        for service in self.services.iter().map(String::as_str).chain([""]) {
            self.health.set_service_status(service, status).await;
        }
    }
}
