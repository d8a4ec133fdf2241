//! The toy, and a log in the place of pairing's.

use prost::Name;
use serde_json::json;
use sqlx::migrate::Migrator;
use tongxin_platform::{
    db::{Migrations, Scope},
    log::{NewEvent, append},
    region::RegionCode,
    request::Context,
    service::Service,
    testing::{Database, Running, TestWorld},
};
use tongxin_proto::{TOY, toy::v1::tally_service_client::TallyServiceClient};
use tongxin_toy::{Config, KIND};
use tonic::{Request, transport::Channel};

pub const VILLAGE: &str = "441823107201";
pub const OTHER_VILLAGE: &str = "441823107202";

/// The toy, running.
pub struct TestApp {
    pub world: TestWorld,
    running: Running,
    pairing: Service,
    _log: Running,
}

async fn named_pairing(world: &TestWorld, database: &Database) -> Service {
    let migrations = Migrations::with_platform(&Migrator::DEFAULT);
    Service::connect("pairing", database.service_config(), world.shared.clone(), &migrations).await.unwrap()
}

impl TestApp {
    pub async fn start() -> Self {
        let world = TestWorld::of(&TOY, "2025-06-30T04:00:00Z".parse().unwrap()).await;
        let log = Database::migrated(&Migrations::with_platform(&Migrator::DEFAULT)).await;
        let running_log = Running::of(named_pairing(&world, &log).await.listen().await.unwrap());
        let database = Database::migrated(&KIND.migrations()).await;
        database.assert_regions_are_guarded().await;
        let settings: Config = world.settings(&database, json!({ "pairing": format!("http://{}", running_log.grpc) }));
        let running = Running::start(settings, world.shared.clone()).await;
        Self { pairing: named_pairing(&world, &log).await, world, running, _log: running_log }
    }

    /// States an event in pairing's log.
    pub async fn state(&self, event: &impl Name) {
        let region = RegionCode::parse("441800000000").unwrap();
        let context = Context::of_service("test", self.world.clock.now());
        let event = NewEvent::new(("register", "1"), region, context.today(), event);
        let mut tx = Scope::EVERYWHERE.write(&self.pairing.pool).await.unwrap();
        append(&mut tx, &context, &[event]).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub fn client(&self) -> TallyServiceClient<Channel> {
        TallyServiceClient::new(self.running.channel())
    }

    /// A request of a role in a county.
    pub fn request<M>(&self, role: &str, message: M) -> Request<M> {
        let mut request = Request::new(message);
        let token = format!("Bearer {}", self.world.token(role, "441823000000"));
        request.metadata_mut().insert("authorization", token.parse().unwrap());
        request
    }
}
