//! Builds and starts the gateway.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use tongxin_platform::{
    admin::Readiness,
    consumer::{Consumer, Progress},
    db::Migrations,
    grpc::Edge,
    lifecycle::Lifecycle,
    service::{Listening, Service, StartError, Surroundings},
};
use tongxin_proto::gateway::v1::gateway_service_server::{GatewayServiceServer, SERVICE_NAME};
use tonic::service::Routes;
use tower::ServiceBuilder;

use crate::{
    config::Config,
    consumers::{self, Projection},
    grpc::Gateway,
    metrics::Figures,
    proxy::{Upstreams, WebEdge, cors, headers},
};

/// Figures older than this are not to be served.
const OLDEST: Duration = Duration::from_mins(1);

/// The schema of the gateway's database.
#[must_use]
pub fn migrations() -> Migrations {
    Migrations::with_platform(&sqlx::migrate!())
}

/// The gateway, listening.
pub struct App {
    listening: Listening,
    consumers: Vec<(&'static str, Consumer<Projection>)>,
    progress: BTreeMap<&'static str, Progress>,
    figures: Option<Figures>,
}

impl App {
    /// Connects to the database and listens; nothing is answered before [`start`](Self::start).
    ///
    /// # Errors
    /// When the database cannot be used, a port is taken, or a setting cannot be used.
    pub async fn build(config: Config, surroundings: Surroundings) -> Result<Self, StartError> {
        let upstreams = Upstreams::connect(&config.upstreams, &config.upstream_tls, config.upstream_connections)?;
        let max_bytes = config.grpc.max_message_bytes;
        let web = WebEdge::new(max_bytes, Duration::from_secs(config.grpc.stall_seconds));
        let edge = ServiceBuilder::new()
            .layer(headers::for_browsers(config.https_only()))
            .option_layer(cors::allow(&config.cors_origins))
            .layer(web);
        let service = Service::connect("gateway", config.service(), surroundings, &migrations()).await?;

        let consumers = consumers::of(&service, |source| upstreams.log_channel(source));
        let progress: BTreeMap<_, _> = consumers.iter().map(|(name, consumer)| (*name, consumer.progress())).collect();
        let Surroundings { clock, registry, .. } = &service.surroundings;
        let figures = config
            .shows_figures()
            .then(|| Figures::new(service.pool.clone(), clock.clone(), config.metrics_regions, registry))
            .transpose()
            .map_err(|error| StartError::Preparation(error.into()))?;

        let gateway = Gateway { pool: service.pool.clone(), clock: service.surroundings.clock.clone() };
        let own = GatewayServiceServer::new(gateway).max_decoding_message_size(max_bytes);
        let names = upstreams.service_names();
        let admitted: Vec<&str> = names.iter().map(String::as_str).chain([SERVICE_NAME]).collect();
        let routes = upstreams.pass_through(Routes::new(own));
        let listening = service.listen(&admitted, routes, readiness(&progress)).await?;
        let listening = listening.with_edge(Edge::new(edge));
        Ok(Self { listening, consumers, progress, figures })
    }

    /// Where it answers gRPC, gRPC-Web and Connect.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn grpc_address(&self) -> std::io::Result<SocketAddr> {
        self.listening.grpc_address()
    }

    /// Where its admin port listens.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn admin_address(&self) -> std::io::Result<SocketAddr> {
        self.listening.admin_address()
    }

    /// How far the events of a service are counted; none if it is not followed.
    #[must_use]
    pub fn progress(&self, source: &str) -> Option<Progress> {
        self.progress.get(source).cloned()
    }

    /// Serves, follows and measures, as parts of a lifecycle.
    pub fn start(self, lifecycle: &mut Lifecycle) {
        let stop = lifecycle.stop_token();
        self.listening.start(lifecycle);
        for (_, consumer) in self.consumers {
            start(lifecycle, "a projection", consumer.run(stop.clone()));
        }
        if let Some(figures) = self.figures {
            start(lifecycle, "the figures' metrics", figures.run(stop));
        }
    }
}

fn start(lifecycle: &mut Lifecycle, name: &'static str, part: impl Future<Output = ()> + Send + 'static) {
    lifecycle.start(name, async move {
        part.await;
        Ok::<(), std::io::Error>(())
    });
}

fn readiness(progress: &BTreeMap<&'static str, Progress>) -> Readiness {
    let mut readiness = Readiness::default();
    for (source, progress) in progress {
        let progress = progress.clone();
        readiness.add(source, move || std::future::ready(fresh(progress.age_seconds())));
    }
    readiness
}

fn fresh(age: Option<f64>) -> Result<(), String> {
    match age {
        Some(age) if age < OLDEST.as_secs_f64() => Ok(()),
        Some(age) => Err(format!("its events are not counted since {age:.0} seconds")),
        None => Err("its events have not been counted yet".to_owned()),
    }
}
