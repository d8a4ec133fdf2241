//! What all services do alike when they start: connect, listen, and run relay and ports.

use std::{net::SocketAddr, sync::Arc};

use async_nats::jetstream;
use prometheus::Registry;
use sqlx::PgPool;
use tongxin_proto::log::v1::log_service_server::{LogServiceServer, SERVICE_NAME as LOG_SERVICE};
use tonic::{service::Routes, transport::Channel};

use crate::{
    access::{Access, Credentials, KeyError},
    admin::{Admin, Readiness},
    broker::BrokerError,
    clock::Clock,
    config::ServiceConfig,
    consumer::{Consumer, EventHandler, LogClient},
    db::{self, DbError, Migrations, SchemaBehind},
    error::ServiceRefusal,
    grpc::{ConnectError, Edge, Endpoint, Server, ServerError},
    lifecycle::Lifecycle,
    log::{LogReader, Relay, RelayWake},
    request::{RequestKeyError, RequestKeys, Writer},
};

/// What the services of one program share.
#[derive(Clone)]
pub struct Surroundings {
    /// The time.
    pub clock: Clock,
    /// Checks tokens.
    pub access: Arc<Access>,
    /// The broker.
    pub jetstream: jetstream::Context,
    /// The token by which services call each other.
    pub credentials: Credentials,
    /// The metrics that `/metrics` shows.
    pub registry: Registry,
}

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its database cannot be used.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Its schema is not up to date.
    #[error(transparent)]
    Schema(#[from] SchemaBehind),
    /// Its gRPC server cannot be set up.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// Its admin port cannot be had.
    #[error("cannot listen on the admin port {0}: is another program using it?")]
    Admin(SocketAddr, #[source] std::io::Error),
    /// What the service does before it listens failed.
    #[error("the service cannot be prepared")]
    Preparation(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A key of requests cannot be used.
    #[error(transparent)]
    RequestKey(#[from] RequestKeyError),
    /// The broker's settings cannot be used.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// Another service cannot be connected to.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

impl From<sqlx::Error> for StartError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// A service with its database, before it listens.
pub struct Service {
    /// Its name, as in `tongxin.<name>.v1`.
    pub name: &'static str,
    /// Its database.
    pub pool: PgPool,
    /// What it shares with others.
    pub surroundings: Surroundings,
    config: ServiceConfig,
    wake: RelayWake,
}

impl Service {
    /// Connects to the database and makes sure that its schema is up to date.
    ///
    /// # Errors
    /// When the database cannot be reached, is behind, or would not bind us by its rules.
    pub async fn connect(
        name: &'static str,
        config: ServiceConfig,
        surroundings: Surroundings,
        migrations: &Migrations,
    ) -> Result<Self, StartError> {
        let pool = db::connect(&config.database).await?;
        migrations.check(&mut *pool.acquire().await?).await?;
        Ok(Self { name, pool, surroundings, config, wake: RelayWake::default() })
    }

    /// Wakes this service's relay, for work that is committed elsewhere than by its commands.
    #[must_use]
    pub fn relay_wake(&self) -> RelayWake {
        self.wake.clone()
    }

    /// Follows another service over a channel to it, once the consumer runs.
    #[must_use]
    pub fn follow<H: EventHandler>(&self, source: &'static str, channel: Channel, handler: H) -> Consumer<H> {
        let Surroundings { jetstream, credentials, .. } = &self.surroundings;
        let log = LogClient::new(channel, credentials.clone());
        Consumer::new((self.name, source), self.pool.clone(), jetstream.clone(), log, Arc::new(handler))
    }

    /// Carries out this service's commands, and knows requests again by their keys.
    pub fn writer<Policy: Send + Sync + 'static>(&self, keys: RequestKeys, policy: Policy) -> Writer<Policy> {
        Writer::new(self.pool.clone(), self.surroundings.clock.clone(), self.wake.clone(), keys, policy)
    }

    /// What this service's methods need to answer.
    #[must_use]
    pub fn endpoint<Policy: Send + Sync + 'static, R: ServiceRefusal>(
        &self,
        writer: Writer<Policy>,
    ) -> Endpoint<Policy, R> {
        Endpoint::new(self.pool.clone(), self.surroundings.clock.clone(), writer)
    }

    /// Listens for the services that the routes answer, and for readers of the log.
    ///
    /// # Errors
    /// When a port is taken, or a method has no permission.
    pub async fn listen(
        self,
        services: &[&str],
        routes: Routes,
        mut readiness: Readiness,
    ) -> Result<Listening, StartError> {
        let services = [services, &[LOG_SERVICE]].concat();
        let routes = routes.add_service(LogServiceServer::new(LogReader::new(self.pool.clone())));
        let access = Arc::clone(&self.surroundings.access);
        let grpc = Server::bind(self.config.grpc, Arc::clone(&access), &services, routes).await?;
        readiness.add("access", move || std::future::ready(access.ready()));

        let pool = self.pool.clone();
        readiness.add("database", move || {
            let pool = pool.clone();
            async move {
                let answered = sqlx::query("SELECT 1").execute(&pool).await;
                answered.map(drop).map_err(|error| error.to_string())
            }
        });
        let listen = self.config.admin.listen;
        let admin = Admin::bind(listen, readiness, self.surroundings.registry)
            .await
            .map_err(|error| StartError::Admin(listen, error))?;
        let relay = Relay::new(self.name, self.pool, self.surroundings.jetstream, self.wake);
        Ok(Listening { grpc, admin, relay })
    }
}

/// A service that listens, and serves once it is [`start`](Self::start)ed.
pub struct Listening {
    grpc: Server,
    admin: Admin,
    relay: Relay,
}

impl Listening {
    /// Puts something outside of the door of its gRPC server.
    #[must_use]
    pub fn with_edge(self, edge: Edge) -> Self {
        Self { grpc: self.grpc.with_edge(edge), ..self }
    }

    /// Where its gRPC server listens.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn grpc_address(&self) -> std::io::Result<SocketAddr> {
        self.grpc.address()
    }

    /// Where its admin port listens.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn admin_address(&self) -> std::io::Result<SocketAddr> {
        self.admin.address()
    }

    /// Serves, as parts of a lifecycle.
    pub fn start(self, lifecycle: &mut Lifecycle) {
        let stop = lifecycle.stop_token();
        lifecycle.start("the gRPC server", self.grpc.run(stop.clone()));
        lifecycle.start("the admin port", self.admin.run(stop.clone()));
        let relay = self.relay;
        lifecycle.start("the relay", async move {
            relay.run(stop).await;
            Ok::<(), std::io::Error>(())
        });
    }
}
