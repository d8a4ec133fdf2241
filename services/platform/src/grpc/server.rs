//! Builds and runs a gRPC server with limits that tonic leaves open.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tongxin_proto::Contract;
use tonic::{body::Body, service::Routes, transport};
use tonic_health::{ServingStatus, server::HealthReporter};
use tower::util::{BoxCloneSyncServiceLayer, option_layer};

use super::{
    GrpcConfig, OutOfRange,
    connections::Connections,
    door::{Door, Guarded},
    incoming::incoming,
    shed::Shed,
    threshold::Threshold,
    tls::{self, TlsError},
};
use crate::{
    access::{Access, MethodPermissions, PermissionMissing},
    clock::Clock,
};

/// Maximum number of reset-before-accept streams per connection (HTTP/2 rapid reset); beyond it the connection is
/// closed. A client with deadlines of milliseconds cancels hundreds when this machine is busy for a moment: its other
/// calls must not end with the connection.
const GIVEN_UP: usize = 1_024;

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A setting cannot be used.
    #[error(transparent)]
    Setting(#[from] OutOfRange),
    /// The address cannot be bound.
    #[error("cannot listen on {0}: is another program using the port?")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// Its certificate or key cannot be used.
    #[error("the port cannot speak TLS with the settings in its section grpc.tls")]
    Tls(#[from] TlsError),
    /// A method has no permission.
    #[error(transparent)]
    Permission(#[from] PermissionMissing),
    /// The descriptors are broken.
    #[error("reflection cannot be served")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The server ended with an error.
    #[error("the gRPC server failed")]
    Transport(#[from] transport::Error),
}

/// A layer outside of the door, which answers other protocols by calling the door in gRPC.
pub type Edge = BoxCloneSyncServiceLayer<Guarded<Routes>, http::Request<Body>, http::Response<Body>, Infallible>;

/// A gRPC server that listens, and serves once it [`run`](Self::run)s.
pub struct Server {
    config: GrpcConfig,
    listener: TcpListener,
    tls: Option<Tls>,
    access: Arc<Access>,
    permissions: MethodPermissions,
    edge: Option<Edge>,
    routes: Routes,
    health: HealthReporter,
    services: Vec<String>,
}

/// The certificate of a server, and the state of watching its files.
type Tls = (Arc<tls::Current>, tls::Looks);

impl Server {
    /// Listens for the services of a contract that `routes` answer, whose full names are given.
    ///
    /// # Errors
    /// If the address is taken, the certificate or its key cannot be used, or a method has no permission in the
    /// contract.
    pub async fn bind(
        config: GrpcConfig,
        access: Arc<Access>,
        (contract, services): (&Contract, &[&str]),
        routes: Routes,
    ) -> Result<Self, ServerError> {
        config.check()?;
        let permissions = MethodPermissions::of_services(contract.pool, services)?;
        let tls = tls_of(&config)?;
        let listener =
            TcpListener::bind(config.listen).await.map_err(|error| ServerError::Listen(config.listen, error))?;
        let (health, health_service) = tonic_health::server::health_reporter();
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(contract.descriptors)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        // Older clients use v1alpha.
        let (newer, older) = (reflection().build_v1()?, reflection().build_v1alpha()?);
        let routes = routes.add_service(health_service).add_service(newer).add_service(older);
        let services = services.iter().map(ToString::to_string).collect();
        Ok(Self { config, listener, tls, access, permissions, edge: None, routes, health, services })
    }

    /// Adds a layer outside of the door, for the gateway, which passes calls on.
    #[must_use]
    pub fn with_edge(self, edge: Edge) -> Self {
        Self { edge: Some(edge), ..self }
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until told to stop, then finishes the requests in progress.
    ///
    /// # Errors
    /// If the server fails.
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
        let shed = Shed::new();
        let passes_on = self.edge.is_some();
        let door = Door::new(self.access, self.permissions, &self.config, passes_on, shed.clone());
        let threshold = Threshold::new(&self.config, shed);
        let connections = Connections::new(&self.config);
        let idle = Duration::from_secs(self.config.idle_seconds);
        let (tls, _kept_up) = self.tls.map(|(tls, looks)| (Arc::clone(&tls), keep_up(tls, looks))).unzip();
        transport::Server::builder()
            .max_concurrent_streams(self.config.max_streams)
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .http2_keepalive_timeout(Some(Duration::from_secs(10)))
            .http2_max_header_list_size(32 << 10)
            .http2_max_pending_accept_reset_streams(Some(GIVEN_UP))
            // Bounds the cost of protocol errors that are repeated over and over.
            .http2_max_local_error_reset_streams(Some(64))
            .initial_connection_window_size(4 << 20)
            .initial_stream_window_size(1 << 20)
            // No grace period: with one, tonic asks nobody to end, and cuts calls off when it is over.
            .max_connection_age(Duration::from_secs(self.config.max_connection_seconds))
            .accept_http1(self.config.accept_http1)
            .layer(threshold)
            .layer(option_layer(self.edge))
            .layer(door)
            .add_routes(self.routes)
            .serve_with_incoming_shutdown(incoming(self.listener, connections, idle, tls), draining)
            .await?;
        Ok(())
    }

    async fn report(&self, status: ServingStatus) {
        for service in self.services.iter().map(String::as_str).chain([""]) {
            self.health.set_service_status(service, status).await;
        }
    }
}

/// Reads certificate and key if the port is to speak TLS.
fn tls_of(config: &GrpcConfig) -> Result<Option<Tls>, TlsError> {
    let Some(settings) = config.tls.clone() else { return Ok(None) };
    let protocols: &[&[u8]] = if config.accept_http1 { &[b"h2", b"http/1.1"] } else { &[b"h2"] };
    // Clients use the clock of their machines, too.
    let (current, looks) = tls::Current::load(settings, protocols, Clock::system().now())?;
    Ok(Some((Arc::new(current), looks)))
}

fn keep_up(tls: Arc<tls::Current>, looks: tls::Looks) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(tls.keep_up(looks, Clock::system())))
}
