//! Builds and runs a gRPC server with limits that tonic leaves open.

use std::{collections::BTreeMap, convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tongxin_proto::Contract;
use tonic::{body::Body, service::Routes, transport};
use tonic_health::{ServingStatus, server::HealthReporter};
use tower::util::{BoxCloneSyncServiceLayer, option_layer};

use super::{
    connections::Connections,
    door::{Door, Guarded},
    incoming::incoming,
    network::Network,
    shed::Shed,
    threshold::Threshold,
    tls::{self, ServerTlsConfig, TlsError},
};
use crate::{
    access::{Access, MethodPermissions, PermissionMissing},
    clock::Clock,
};

/// Streams of a connection that its client may give up before we have looked at them; one more closes it. A client whose
/// calls end after milliseconds does so by the hundred when this machine is busy for a moment: its other calls must not end
/// with the connection.
const GIVEN_UP: usize = 1_024;

/// Limits of a gRPC server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct GrpcConfig {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate and key to speak TLS by; without them the port speaks none.
    pub tls: Option<ServerTlsConfig>,
    /// Requests that are worked on at once; more are answered `UNAVAILABLE: OVERLOADED` at once. Streams, readers of the log and
    /// those who need no token are counted apart.
    pub max_requests: usize,
    /// Requests at once that send a stream or are answered by one.
    pub max_streaming_requests: usize,
    /// Requests at once of those who follow the log.
    pub max_log_requests: usize,
    /// Percent of each kind of places, and of `max_body_bytes`, that one subject may have at once; more is answered
    /// `UNAVAILABLE: SHARE_EXHAUSTED` at once.
    pub subject_share_percent: u32,
    /// The same for subjects (`issuer|subject`), or for each subject with a role, that need another share: systems that call for
    /// many, for example.
    pub shares: BTreeMap<String, u32>,
    /// Connections at once. One more takes the place of the one that has not called for longest; those whose calls were never
    /// let in have half of the places at most.
    pub max_connections: usize,
    /// Seconds that a connection may stay which makes no call that is let in.
    pub idle_seconds: u64,
    /// Seconds after which a connection is asked to end. Its calls go on to their ends, and its client makes another one.
    pub max_connection_seconds: u64,
    /// Calls of a connection that its client may give up within half a minute; one more closes it. 0: as many as it likes, as a
    /// gateway needs that passes on what its callers do. The gateway's own default is 512.
    pub max_given_up: u32,
    /// Connections at once from one address, and, behind a trusted proxy, requests at once for one; 0: as many as there are.
    pub max_per_address: usize,
    /// Networks, such as `10.0.0.0/8`, of proxies whose `x-forwarded-for` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Requests at once on one connection.
    pub max_streams: u32,
    /// Seconds until a request is given up.
    pub timeout_seconds: u64,
    /// Seconds until a request is given up that sends a stream or is answered by one, whole.
    pub stream_timeout_seconds: u64,
    /// Seconds that a caller may keep us waiting: send nothing of a body that we read, or take nothing of a stream that we send.
    pub stall_seconds: u64,
    /// Seconds within which an answer that does not stream has to be taken whole.
    pub send_seconds: u64,
    /// Largest message that is accepted, in bytes.
    pub max_message_bytes: usize,
    /// Bytes of messages at once that are being read or worked on; more is answered `RESOURCE_EXHAUSTED`.
    pub max_body_bytes: usize,
    /// Whether HTTP/1 is answered as well, which gRPC itself does not use.
    pub accept_http1: bool,
}

impl Default for GrpcConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: None,
            max_requests: 512,
            max_streaming_requests: 256,
            max_log_requests: 64,
            subject_share_percent: 25,
            shares: BTreeMap::from([("system".to_owned(), 50)]),
            max_connections: 1024,
            idle_seconds: 30,
            max_connection_seconds: 3_600,
            max_given_up: 0,
            max_per_address: 0,
            trusted_proxies: Vec::new(),
            max_streams: 256,
            timeout_seconds: 30,
            stream_timeout_seconds: 600,
            stall_seconds: 30,
            send_seconds: 120,
            max_message_bytes: 4 << 20,
            max_body_bytes: 128 << 20,
            accept_http1: false,
        }
    }
}

impl<'de> Deserialize<'de> for GrpcConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let config = Self::deserialize(deserializer)?;
        config.check().map_err(D::Error::custom)?;
        Ok(config)
    }
}

impl Serialize for GrpcConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// A number that a setting cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("grpc.{setting} is {found}: it has to be from {least} to {most}")]
pub struct OutOfRange {
    setting: String,
    found: u64,
    least: u64,
    most: u64,
}

/// Seconds of a day, and of the longest time that a connection may stay.
const DAY: u64 = 24 * 3_600;
const YEAR: u64 = 365 * DAY;

/// More places, or bytes of a message and of all of them, than any machine has use for.
const PLACES: u64 = 1_000_000;
const MESSAGE: u64 = 1 << 30;
const BODIES: u64 = 1 << 40;

impl GrpcConfig {
    /// Whether every number is one that a server can work with.
    ///
    /// # Errors
    /// When one is none: the first, with its setting.
    pub fn check(&self) -> Result<(), OutOfRange> {
        let wide = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let mut numbers = vec![
            ("max_requests", wide(self.max_requests), 1, PLACES),
            ("max_streaming_requests", wide(self.max_streaming_requests), 1, PLACES),
            ("max_log_requests", wide(self.max_log_requests), 1, PLACES),
            ("subject_share_percent", self.subject_share_percent.into(), 1, 100),
            ("max_connections", wide(self.max_connections), 1, PLACES),
            ("idle_seconds", self.idle_seconds, 1, DAY),
            ("max_connection_seconds", self.max_connection_seconds, 1, YEAR),
            ("max_given_up", self.max_given_up.into(), 0, PLACES),
            ("max_per_address", wide(self.max_per_address), 0, PLACES),
            ("max_streams", self.max_streams.into(), 1, PLACES),
            ("timeout_seconds", self.timeout_seconds, 1, DAY),
            ("stream_timeout_seconds", self.stream_timeout_seconds, 1, DAY),
            ("stall_seconds", self.stall_seconds, 1, DAY),
            ("send_seconds", self.send_seconds, 1, DAY),
            ("max_message_bytes", wide(self.max_message_bytes), 1, MESSAGE),
            ("max_body_bytes", wide(self.max_body_bytes), 1, BODIES),
        ];
        if let Some(tls) = &self.tls {
            numbers.push(("tls.handshake_seconds", tls.handshake_seconds, 1, DAY));
            numbers.push(("tls.reload_seconds", tls.reload_seconds, 1, DAY));
        }
        let numbers = numbers.into_iter().map(|(name, found, least, most)| (name.to_owned(), found, least, most));
        let shares = self.shares.iter().map(|(who, share)| (format!("shares.{who}"), u64::from(*share), 1, 100));
        for (setting, found, least, most) in numbers.chain(shares) {
            if !(least..=most).contains(&found) {
                return Err(OutOfRange { setting, found, least, most });
            }
        }
        Ok(())
    }
}

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A setting cannot be used.
    #[error(transparent)]
    Setting(#[from] OutOfRange),
    /// The address is not to be had.
    #[error("cannot listen on {0}: is another program using the port?")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// Its certificate or key cannot be used.
    #[error("the port cannot speak TLS with the settings in its section grpc.tls")]
    Tls(#[from] TlsError),
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
    tls: Option<Tls>,
    access: Arc<Access>,
    permissions: MethodPermissions,
    edge: Option<Edge>,
    routes: Routes,
    health: HealthReporter,
    services: Vec<String>,
}

/// The certificate of a server, and what looks at its files have come to.
type Tls = (Arc<tls::Current>, tls::Looks);

impl Server {
    /// Listens for the services of a contract that `routes` answer and whose full names are given.
    ///
    /// # Errors
    /// When the address is taken, the certificate or its key cannot be used, or a method has no permission in the contract.
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
        // Older clients ask for the version before the first.
        let (newer, older) = (reflection().build_v1()?, reflection().build_v1alpha()?);
        let routes = routes.add_service(health_service).add_service(newer).add_service(older);
        let services = services.iter().map(ToString::to_string).collect();
        Ok(Self { config, listener, tls, access, permissions, edge: None, routes, health, services })
    }

    /// Puts something outside of the door, for those who speak to the gateway: it passes calls on.
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
            // Bounds what breaking the protocol over and over can cost us.
            .http2_max_local_error_reset_streams(Some(64))
            .initial_connection_window_size(4 << 20)
            .initial_stream_window_size(1 << 20)
            // No grace: with one, tonic asks nobody to end, and cuts calls off when it is over.
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

/// Reads the certificate and its key, where the port is to speak TLS.
fn tls_of(config: &GrpcConfig) -> Result<Option<Tls>, TlsError> {
    let Some(settings) = config.tls.clone() else { return Ok(None) };
    let protocols: &[&[u8]] = if config.accept_http1 { &[b"h2", b"http/1.1"] } else { &[b"h2"] };
    // Clients ask the clock of their machines, too.
    let (current, looks) = tls::Current::load(settings, protocols, Clock::system().now())?;
    Ok(Some((Arc::new(current), looks)))
}

fn keep_up(tls: Arc<tls::Current>, looks: tls::Looks) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(tls.keep_up(looks, Clock::system())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sections;

    fn loaded(name: &str, value: &str) -> Result<GrpcConfig, String> {
        let variables = [(format!("TONGXIN__GRPC__{name}"), value.to_owned())];
        let config = Sections::read_within(None, Some(variables.into())).and_then(|sections| sections.get("grpc"));
        config.map(Option::unwrap).map_err(|error| crate::error::chain(&error))
    }

    #[test]
    fn numbers_that_no_server_can_work_with_are_refused_when_they_are_read() {
        for (name, value, range) in [
            ("TIMEOUT_SECONDS", "9223372036854775807", "from 1 to 86400"),
            ("TIMEOUT_SECONDS", "0", "from 1 to 86400"),
            ("MAX_REQUESTS", "0", "from 1 to 1000000"),
            ("MAX_CONNECTIONS", "0", "from 1 to 1000000"),
            ("MAX_MESSAGE_BYTES", "0", "from 1 to 1073741824"),
            ("MAX_BODY_BYTES", "0", "from 1 to 1099511627776"),
            ("SUBJECT_SHARE_PERCENT", "101", "from 1 to 100"),
            ("SHARES__system", "0", "from 1 to 100"),
        ] {
            let refused = loaded(name, value).unwrap_err();
            let setting = format!("grpc.{}", name.to_lowercase().replace("__", "."));
            assert!(refused.contains(&setting) && refused.contains(range), "{name}={value}: {refused}");
        }
        assert_eq!(loaded("TIMEOUT_SECONDS", "5").unwrap().timeout_seconds, 5);
        assert!(loaded("TIMEOUT_SECOND", "5").unwrap_err().contains("timeout_second"));
        assert_eq!(GrpcConfig::default().check(), Ok(()));
        let config = GrpcConfig { timeout_seconds: 7, ..GrpcConfig::default() };
        assert_eq!(serde_json::to_value(config).unwrap()["timeout_seconds"], 7);
    }
}
