//! The gateway as the program and tests build it.

use std::time::Duration;

use tongxin_platform::{
    consumer::Progress,
    grpc::{Edge, secure_channel},
    service::{Build, Faults, Follows, Kind, Needs, Service, Shared, StartError},
};
use tongxin_proto::gateway::v1::gateway_service_server::GatewayServiceServer;
use tower::ServiceBuilder;

use crate::{
    config::Config,
    consumers,
    grpc::Gateway,
    metrics::Figures,
    proxy::{Upstreams, WebEdge, cors, headers, is_upstream, upstream_names},
};

/// Figures older than this are not served.
const OLDEST: Duration = Duration::from_mins(1);

/// The gateway.
pub static KIND: Kind = Kind {
    name: "gateway",
    about: "One door to all services, and the scorecard",
    contract: &tongxin_proto::PRODUCT,
    follows: Follows::Others,
    needs: Needs { request_keys: false, personal_keys: false },
    migrator: &sqlx::migrate!(),
    read: Kind::configured::<Config>,
};

impl Build for Config {
    const KIND: &'static Kind = &KIND;

    fn find_faults(&self, faults: &mut Faults) {
        for (name, address) in &self.upstreams {
            let setting = format!("upstreams.{name}");
            if !is_upstream(name) {
                let known = upstream_names().into_iter().collect::<Vec<_>>().join(", ");
                faults.add(
                    &setting,
                    format!("the gateway passes nothing on to a service of that name; there are {known}"),
                );
            }
            faults.check(&setting, secure_channel(address.expose(), &self.upstream_tls));
        }
    }

    async fn build(self, service: &mut Service) -> Result<(), StartError> {
        let max_bytes = service.max_message_bytes();
        let upstreams = Upstreams::connect(&self.upstreams, &self.upstream_tls, self.upstream_connections)?;
        for source in consumers::SOURCES {
            if let Some(channel) = upstreams.log_channel(source.name) {
                let progress = service.follow(source.name, channel, source.projection());
                service.readiness.add(source.name, move || std::future::ready(fresh(&progress)));
            }
        }
        let Shared { clock, registry, .. } = &service.shared;
        if self.shows_figures() {
            let figures = Figures::new(service.pool.clone(), clock.clone(), self.metrics_regions, registry);
            let figures = figures.map_err(StartError::preparing)?;
            service.run("the figures' metrics", |stop| figures.run(stop));
        }
        let own = Gateway { pool: service.pool.clone(), clock: service.shared.clock.clone() };
        service.answer(GatewayServiceServer::new(own).max_decoding_message_size(max_bytes));
        service.route(upstreams.service_names(), |routes| upstreams.pass_through(routes));
        let web = WebEdge::new(max_bytes, Duration::from_secs(self.grpc.stall_seconds));
        let edge = ServiceBuilder::new()
            .layer(headers::for_browsers(self.https_only()))
            .option_layer(cors::allow(&self.cors_origins))
            .layer(web);
        service.put_outside(Edge::new(edge));
        Ok(())
    }
}

fn fresh(progress: &Progress) -> Result<(), String> {
    match progress.age_seconds() {
        Some(age) if age < OLDEST.as_secs_f64() => Ok(()),
        Some(age) => Err(format!("its events are not counted since {age:.0} seconds")),
        None => Err("its events have not been counted yet".to_owned()),
    }
}
