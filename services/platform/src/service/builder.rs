//! A service while it is put together: connected to its database, not yet listening.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc};

use async_nats::jetstream;
use axum::response::IntoResponse;
use prometheus::Registry;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tongxin_proto::{Contract, PRODUCT, log::v1::log_service_server::LogServiceServer};
use tonic::{body::Body, server::NamedService, service::Routes, transport::Channel};

use super::{App, StartError, app::Part};
use crate::{
    access::{Access, Credentials},
    admin::{Admin, Readiness},
    clock::Clock,
    config::ServiceConfig,
    consumer::{Consumer, EventHandler, LogClient, Progress},
    db::{self, Migrations},
    error::ServiceRefusal,
    grpc::{Edge, Endpoint, Server},
    log::{LogReader, Relay, RelayWake},
    request::Writer,
};

/// What the services of one program share.
#[derive(Clone)]
pub struct Shared {
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

/// A service with its database, before it listens.
pub struct Service {
    /// Its name, as in `tongxin.<name>.v1`.
    pub name: &'static str,
    /// Its database.
    pub pool: PgPool,
    /// What it shares with others.
    pub shared: Shared,
    /// What has to hold for it to be ready, besides that its database answers and tokens can be checked.
    pub readiness: Readiness,
    pub(super) contract: &'static Contract,
    config: ServiceConfig,
    wake: RelayWake,
    routes: Routes,
    answered: Vec<String>,
    edge: Option<Edge>,
    progress: BTreeMap<&'static str, Progress>,
    parts: Vec<(&'static str, Part)>,
}

impl Service {
    /// Connects to the database and makes sure that its schema is up to date.
    ///
    /// # Errors
    /// When the database cannot be reached, is behind, or would not bind us by its rules.
    pub async fn connect(
        name: &'static str,
        config: ServiceConfig,
        shared: Shared,
        migrations: &Migrations,
    ) -> Result<Self, StartError> {
        let pool = db::connect(&config.database).await?;
        migrations.check(&mut *pool.acquire().await?).await?;
        Ok(Self {
            name,
            pool,
            shared,
            readiness: Readiness::default(),
            contract: &PRODUCT,
            config,
            wake: RelayWake::default(),
            routes: Routes::default(),
            answered: Vec::new(),
            edge: None,
            progress: BTreeMap::new(),
            parts: Vec::new(),
        })
    }

    /// Wakes this service's relay, for work that is committed elsewhere than by its commands.
    #[must_use]
    pub fn relay_wake(&self) -> RelayWake {
        self.wake.clone()
    }

    /// Carries out this service's commands, and knows requests again by their keys.
    ///
    /// # Errors
    /// When a key cannot be read.
    pub fn writer<Policy: Send + Sync + 'static>(&self, policy: Policy) -> Result<Writer<Policy>, StartError> {
        let keys = self.config.requests.load()?;
        Ok(Writer::new(self.pool.clone(), self.shared.clock.clone(), self.wake.clone(), keys, policy))
    }

    /// What this service's methods need to answer.
    #[must_use]
    pub fn endpoint<Policy: Send + Sync + 'static, R: ServiceRefusal>(
        &self,
        writer: Writer<Policy>,
    ) -> Endpoint<Policy, R> {
        Endpoint::new(self.pool.clone(), self.shared.clock.clone(), writer)
    }

    /// The largest message that its servers accept.
    #[must_use]
    pub fn max_message_bytes(&self) -> usize {
        self.config.grpc.max_message_bytes
    }

    /// Answers the methods of a service of the contract.
    pub fn answer<S>(&mut self, server: S)
    where
        S: tower::Service<http::Request<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        self.answered.push(S::NAME.to_owned());
        self.routes = std::mem::take(&mut self.routes).add_service(server);
    }

    /// Answers the methods of services in another way, whose full names are given.
    pub fn route(&mut self, services: impl IntoIterator<Item = String>, route: impl FnOnce(Routes) -> Routes) {
        self.answered.extend(services);
        self.routes = route(std::mem::take(&mut self.routes));
    }

    /// Puts something outside of the door of its gRPC server.
    pub fn put_outside(&mut self, edge: Edge) {
        self.edge = Some(edge);
    }

    /// Follows the events of another service, which is reached over a channel, and says how far that has come.
    pub fn follow<H: EventHandler>(&mut self, source: &'static str, channel: Channel, handler: H) -> Progress {
        let Shared { jetstream, credentials, .. } = &self.shared;
        let log = LogClient::new(channel, credentials.clone());
        let consumer = Consumer::new((self.name, source), self.pool.clone(), jetstream.clone(), log, Arc::new(handler));
        let progress = consumer.progress();
        self.progress.insert(source, progress.clone());
        self.run("a projection", |stop| consumer.run(stop));
        progress
    }

    /// Does something until told to stop, under a name for the log.
    pub fn run<Run, Running>(&mut self, name: &'static str, run: Run)
    where
        Run: FnOnce(CancellationToken) -> Running + Send + Sync + 'static,
        Running: Future<Output = ()> + Send + 'static,
    {
        self.parts.push((name, Box::new(|stop| Box::pin(run(stop)))));
    }

    /// Listens for callers, for readers of the log, and on the admin port.
    ///
    /// # Errors
    /// When a port is taken, or a method has no permission.
    pub async fn listen(mut self) -> Result<App, StartError> {
        self.answer(LogServiceServer::new(LogReader::new(self.pool.clone())));
        let Self { name, pool, shared, mut readiness, contract, config, wake, progress, parts, .. } = self;
        let access = shared.access;
        let answered: Vec<&str> = self.answered.iter().map(String::as_str).collect();
        let server = Server::bind(config.grpc, Arc::clone(&access), (contract, &answered), self.routes).await?;
        let server = if let Some(edge) = self.edge { server.with_edge(edge) } else { server };
        readiness.add("access", move || std::future::ready(access.ready()));
        let of_readiness = pool.clone();
        readiness.add("database", move || {
            let pool = of_readiness.clone();
            async move {
                let answered = sqlx::query("SELECT 1").execute(&pool).await;
                answered.map(drop).map_err(|error| error.to_string())
            }
        });
        let listen = config.admin.listen;
        let admin =
            Admin::bind(listen, readiness, shared.registry).await.map_err(|error| StartError::Admin(listen, error))?;
        let relay = Relay::new(name, pool, shared.jetstream, wake);
        Ok(App { grpc: server.address()?, admin: admin.address()?, progress, servers: (server, admin), relay, parts })
    }
}
