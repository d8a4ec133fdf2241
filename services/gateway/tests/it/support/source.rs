//! A service whose log a test writes: platform's log, relay and door.

use std::net::SocketAddr;

use prost::Name;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool, migrate::Migrator};
use tongxin_platform::{
    db::{Migrations, Scope},
    grpc::GrpcConfig,
    log::{NewEvent, append},
    region::RegionCode,
    request::Context,
    secret::Address,
    service::Service,
    testing::{Database, Running, TestWorld, eventually},
};
use tonic::service::Routes;
use uuid::Uuid;

use super::{CITY, date};

pub struct FakeSource {
    name: &'static str,
    pub address: SocketAddr,
    pub database: Database,
    pool: PgPool,
    context: Context,
    _running: Running,
}

impl FakeSource {
    pub async fn start(
        world: &TestWorld,
        (name, service_name): (&'static str, &str),
        routes: Routes,
        set: impl FnOnce(&mut GrpcConfig),
    ) -> Self {
        let migrations = Migrations::with_platform(&Migrator::DEFAULT);
        let database = Database::migrated(&migrations).await;
        let (mut config, shared) = (database.service_config(), world.shared.clone());
        set(&mut config.grpc);
        let mut service = Service::connect(name, config, shared, &migrations).await.unwrap();
        service.route([service_name.to_owned()], |_| routes);
        let pool = service.pool.clone();
        let running = Running::of(service.listen().await.unwrap());
        let context = Context::of_service("test", world.clock.now());
        Self { name, address: running.grpc, database, pool, context, _running: running }
    }

    /// Where it is, as a setting of the gateway.
    pub fn upstream(&self) -> (String, Address) {
        (self.name.to_owned(), format!("http://{}", self.address).into())
    }

    /// States one event, of an aggregate of its own.
    pub async fn state(&self, event: &impl Name) {
        self.state_all(std::slice::from_ref(event)).await;
    }

    pub async fn state_all<Event: Name>(&self, events: &[Event]) {
        let region = RegionCode::parse(CITY).unwrap();
        let events: Vec<_> = events
            .iter()
            .map(|event| NewEvent::new(("thing", Uuid::new_v4()), region, date("2025-12-31"), event))
            .collect();
        let mut tx = Scope::EVERYWHERE.write(&self.pool).await.unwrap();
        append(&mut tx, &self.context, &events).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Puts its log back to an earlier state, as from a backup, and says so by a new epoch.
    pub async fn restore(&self, seq: i64) {
        let mut owner = PgConnection::connect(&self.database.owner_url).await.unwrap();
        let restore = format!(
            "
            SET session_replication_role = replica;
            BEGIN;
            DELETE FROM event WHERE seq > {seq};
            UPDATE log_head
            SET epoch = epoch + 1,
                seq = {seq},
                published_seq = {seq},
                hash = (SELECT hash FROM event WHERE seq = {seq});
            COMMIT"
        );
        owner.execute(AssertSqlSafe(restore)).await.unwrap();
    }

    /// Number of the newest event, when all have one.
    pub async fn stated(&self) -> i64 {
        eventually("all events have numbers", || async {
            let mut tx = Scope::EVERYWHERE.read(&self.pool).await.unwrap();
            let waiting = sqlx::query_scalar("SELECT EXISTS (SELECT FROM event WHERE seq IS NULL)");
            let waiting: bool = waiting.fetch_one(&mut *tx).await.unwrap();
            !waiting
        })
        .await;
        sqlx::query_scalar("SELECT seq FROM log_head").fetch_one(&self.pool).await.unwrap()
    }

    /// Waits until all that it stated is counted.
    pub async fn is_counted(&self, gateway: &PgPool) {
        eventually("all events are counted", || async {
            let stated = self.stated().await;
            let counted = sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM cursor WHERE source = $1");
            stated == counted.bind(self.name).fetch_one(gateway).await.unwrap_or(-1)
        })
        .await;
    }
}
