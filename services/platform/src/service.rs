//! What all services do when they start: connect, listen, and run relay and ports.

use std::{net::SocketAddr, sync::Arc};

use async_nats::jetstream;
use prometheus::Registry;
use sqlx::PgPool;
use tongxin_proto::log::v1::log_service_server::{LogServiceServer, SERVICE_NAME as LOG_SERVICE};
use tonic::service::Routes;

use crate::{
    access::{Access, Credentials, KeyError},
    admin::{Admin, Readiness},
    broker::BrokerError,
    clock::Clock,
    config::ServiceConfig,
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
    /// The token for calls between services.
    pub credentials: Credentials,
    /// The registry that `/metrics` shows.
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
    /// Its admin port is taken.
    #[error("cannot listen on the admin port {0}: is another program using it?")]
    Admin(SocketAddr, #[source] std::io::Error),
    /// Preparation before listening failed.
    #[error("the service cannot be prepared")]
    Preparation(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A request key cannot be used.
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
    /// Whatever the services of the program share.
    pub surroundings: Surroundings,
    config: ServiceConfig,
    wake: RelayWake,
}

impl Service {
    /// Connects to the database and makes sure that its schema is up to date.
    ///
    /// # Errors
    /// If the database cannot be reached, its schema is behind, or the role is exempt from row-level security.
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

    /// Wakes this service's relay, for events that are committed outside of its commands.
    #[must_use]
    pub fn relay_wake(&self) -> RelayWake {
        self.wake.clone()
    }

    /// A writer for this service's commands, with the keys of request fingerprints.
    pub fn writer<Policy: Send + Sync + 'static>(&self, keys: RequestKeys, policy: Policy) -> Writer<Policy> {
        Writer::new(self.pool.clone(), self.surroundings.clock.clone(), self.wake.clone(), keys, policy)
    }

    /// The endpoint for this service's methods.
    #[must_use]
    pub fn endpoint<Policy: Send + Sync + 'static, R: ServiceRefusal>(
        &self,
        writer: Writer<Policy>,
    ) -> Endpoint<Policy, R> {
        Endpoint::new(self.pool.clone(), self.surroundings.clock.clone(), writer)
    }

    /// Listens for the services of the routes, and for readers of the log.
    ///
    /// # Errors
    /// If a port is taken, or a method has no permission.
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
    /// Adds a layer outside of the door of its gRPC server.
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
