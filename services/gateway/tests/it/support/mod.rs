//! The gateway behind its door, and a service in front of it whose log a test writes.

pub mod events;
mod pairing;
mod source;

use std::{collections::BTreeMap, net::SocketAddr};

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;
use sqlx::PgPool;
use tongxin_gateway::Config;
use tongxin_platform::{
    broker::{self, BrokerConfig},
    consumer::Progress,
    db::{self, DbConfig},
    testing::{Database, Running, TestWorld},
};
use tongxin_proto::gateway::v1::{GetScorecardRequest, Scorecard, gateway_service_client::GatewayServiceClient};
use tongxin_servers::Nats;
use tonic::{Request, Status, transport::Channel};

pub use pairing::{FakePairing, LONG_REGION, UNKNOWN_NAME, UNKNOWN_REGION};
pub use source::FakeSource;
pub use tongxin_platform::testing::register::{CITY, COUNTY, PROVINCE, TOWN, VILLAGE, VILLAGE_ELSEWHERE};

/// Everything that a test needs, on servers of its own.
pub struct Stage {
    pub world: TestWorld,
    pub nats: Nats,
    pub pairing: FakePairing,
    pub database: Database,
    pub pool: PgPool,
    pub grpc: SocketAddr,
    pub admin: SocketAddr,
    pub progress: Option<Progress>,
    running: Running,
}

pub fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn noon() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2025-12-31T04:00:00Z").unwrap().into()
}

/// The clock at noon, and a broker that no other test uses.
pub async fn world() -> (TestWorld, Nats) {
    let mut world = TestWorld::at(noon()).await;
    let nats = Nats::temporary().await.unwrap();
    let config = BrokerConfig { url: nats.url().into(), ..BrokerConfig::default() };
    world.shared.jetstream = broker::connect(&config, "test").await.unwrap();
    (world, nats)
}

impl Stage {
    pub async fn set() -> Self {
        let (world, nats) = world().await;
        let pairing = FakePairing::start(&world).await;
        Self::with(world, nats, pairing, |_| {}).await
    }

    /// With the settings that a test wants otherwise.
    pub async fn with(world: TestWorld, nats: Nats, pairing: FakePairing, set: impl FnOnce(&mut Config)) -> Self {
        let database = Database::migrated(&tongxin_gateway::KIND.migrations()).await;
        let mut config: Config = world.settings(&database, json!({}));
        config.upstreams = BTreeMap::from([pairing.upstream()]);
        set(&mut config);
        let running = Running::start(config, world.shared.clone()).await;
        let (grpc, admin, progress) = (running.grpc, running.admin, running.progress.get("pairing").cloned());
        let pool = db::connect(&DbConfig::at(&database.app_url)).await.unwrap();
        Self { world, nats, pairing, database, pool, grpc, admin, progress, running }
    }

    /// Waits until all that pairing stated is counted.
    pub async fn settle(&self) {
        self.pairing.is_counted(&self.pool).await;
    }

    pub fn channel(&self) -> Channel {
        self.running.channel()
    }

    /// A request with the token of a role in a region.
    pub fn request<M>(&self, role: &str, region: &str, message: M) -> Request<M> {
        let mut request = Request::new(message);
        let token = format!("Bearer {}", self.world.token(role, region));
        request.metadata_mut().insert("authorization", token.parse().unwrap());
        request
    }

    /// What somebody in a region is told of one.
    pub async fn scorecard_for(&self, caller: &str, region: &str, as_of: Option<&str>) -> Result<Scorecard, Status> {
        let message =
            GetScorecardRequest { region_code: region.to_owned(), as_of: as_of.map(|text| date(text).into()) };
        let request = self.request("hq", caller, message);
        let answer = GatewayServiceClient::new(self.channel()).get_scorecard(request).await?;
        Ok(answer.into_inner().scorecard.unwrap())
    }

    pub async fn figure(&self, region: &str, as_of: &str, indicator: &str) -> i64 {
        let scorecard = self.scorecard_for(PROVINCE, region, Some(as_of)).await.unwrap();
        figure(&scorecard, indicator)
    }

    /// No roll-up differs from the sum of its facts.
    pub async fn assert_no_drift(&self) {
        let mut tx = db::Scope::EVERYWHERE.read(&self.pool).await.unwrap();
        let drift = tongxin_gateway::store::rollups::drift(&mut tx).await.unwrap();
        assert_eq!(drift, []);
    }

    pub async fn stop(self) {
        self.running.stop().await;
    }
}

pub fn figure(scorecard: &Scorecard, indicator: &str) -> i64 {
    let found = scorecard.figures.iter().find(|figure| figure.indicator_id == indicator);
    found.unwrap_or_else(|| panic!("no {indicator}")).value
}
