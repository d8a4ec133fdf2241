//! Builds and starts the service; tests build the same.

use std::net::SocketAddr;

use tongxin_platform::{
    admin::Readiness,
    db::Migrations,
    lifecycle::Lifecycle,
    request::Context,
    service::{Listening, Service, StartError, Surroundings},
};
use tongxin_proto::pairing::v1::pairing_service_server::{PairingServiceServer, SERVICE_NAME};
use tonic::service::Routes;

use crate::{
    commands::{Policy, adopt_coverage_rules},
    config::Config,
    domain::coverage::CoverageRules,
    grpc::Door,
    store::coverage_rules,
};

/// The service's name, as in `tongxin.pairing.v1`.
pub const NAME: &str = "pairing";

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The migrations of the service's database.
#[must_use]
pub fn migrations() -> Migrations {
    Migrations::with_platform(&MIGRATOR)
}

/// The service, which listens and serves once it is started.
pub struct App {
    listening: Listening,
}

impl App {
    /// Connects and listens.
    ///
    /// # Errors
    /// When the database is out of reach or behind, a port is taken, or a key cannot be read.
    pub async fn build(config: Config, surroundings: Surroundings) -> Result<Self, StartError> {
        let request_keys = config.request_keys()?;
        let service = Service::connect(NAME, config.service(), surroundings, &migrations()).await?;
        adopt_rules(&service, &config.coverage).await?;
        let readiness = readiness(&service, &config.coverage);
        let max_message = config.grpc.max_message_bytes;
        let policy = Policy { window: config.entry_window_days, coverage: config.coverage };
        let door = Door(service.endpoint(service.writer(request_keys, policy)));
        let server = PairingServiceServer::new(door).max_decoding_message_size(max_message);
        let listening = service.listen(&[SERVICE_NAME], Routes::new(server), readiness).await?;
        Ok(Self { listening })
    }

    /// Where its gRPC server listens.
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

    /// Serves, as parts of a lifecycle.
    pub fn start(self, lifecycle: &mut Lifecycle) {
        self.listening.start(lifecycle);
    }
}

/// A replica whose coverage rules are outdated refuses what counts coverage, so callers had better go to others.
fn readiness(service: &Service, rules: &CoverageRules) -> Readiness {
    let mut readiness = Readiness::default();
    let (pool, rules) = (service.pool.clone(), rules.clone());
    readiness.add("coverage rules", move || {
        let (pool, rules) = (pool.clone(), rules.clone());
        async move {
            let mut conn = pool.acquire().await.map_err(|error| error.to_string())?;
            coverage_rules::ensure(&mut conn, &rules).await.map_err(|error| error.to_string())
        }
    });
    readiness
}

async fn adopt_rules(service: &Service, rules: &CoverageRules) -> Result<(), StartError> {
    let now = service.surroundings.clock.now();
    let context = Context::of_service("service:pairing", now);
    let adopted = adopt_coverage_rules(&service.pool, &context, rules).await;
    adopted.map_err(|error| StartError::Preparation(Box::new(error)))
}
