//! The service as the program and tests build it.

use sqlx::PgPool;
use tongxin_platform::{
    request::Context,
    service::{Build, Follows, Kind, Needs, Service, StartError},
};
use tongxin_proto::pairing::v1::pairing_service_server::PairingServiceServer;

use crate::{
    commands::{Policy, adopt_coverage_rules},
    config::Config,
    domain::coverage::CoverageRules,
    grpc::Door,
    store::coverage_rules,
};

/// The service.
pub static KIND: Kind = Kind {
    name: "pairing",
    about: "Regions, organisations, pairings, coverage",
    contract: &tongxin_proto::PRODUCT,
    follows: Follows::These(&[]),
    needs: Needs { request_keys: true, personal_keys: false },
    migrator: &sqlx::migrate!(),
    read: Kind::configured::<Config>,
};

impl Build for Config {
    const KIND: &'static Kind = &KIND;

    async fn build(self, service: &mut Service) -> Result<(), StartError> {
        let context = Context::of_service("service:pairing", service.shared.clock.now());
        let adopted = adopt_coverage_rules(&service.pool, &context, &self.coverage).await;
        adopted.map_err(StartError::preparing)?;
        let rules = (service.pool.clone(), self.coverage.clone());
        service.readiness.add("coverage rules", move || are_current(rules.clone()));
        let policy = Policy { window: self.entry_window_days, coverage: self.coverage };
        let door = Door(service.endpoint(service.writer(policy)?));
        service.answer(PairingServiceServer::new(door).max_decoding_message_size(service.max_message_bytes()));
        Ok(())
    }
}

/// A replica whose coverage rules are outdated refuses what counts coverage, so callers had better go to others.
async fn are_current((pool, rules): (PgPool, CoverageRules)) -> Result<(), String> {
    let mut conn = pool.acquire().await.map_err(|error| error.to_string())?;
    coverage_rules::ensure(&mut conn, &rules).await.map_err(|error| error.to_string())
}
