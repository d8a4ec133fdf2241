//! The service as it is in production, on a database of the test's own.

use std::{collections::BTreeMap, fs};

use chrono::{DateTime, NaiveDate, Utc};
use prost::{Message, Name};
use serde_json::json;
use sqlx::{Connection as _, PgConnection, PgPool, postgres::PgPoolOptions};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};
use tongxin_monitoring::{Config, KIND};
use tongxin_platform::{
    personal::{KeyVersion, PersonalConfig, Suite},
    testing::{Database, Running, TestWorld, eventually, register},
};
use tongxin_proto::{
    Date,
    monitoring::v1::{
        Department, case_service_client::CaseServiceClient, disclosure_service_client::DisclosureServiceClient,
        household_service_client::HouseholdServiceClient, observation_service_client::ObservationServiceClient,
        rule_service_client::RuleServiceClient, signal_service_client::SignalServiceClient,
        village_service_client::VillageServiceClient,
    },
};
use tonic::{
    Code, Request, Status, metadata::MetadataValue, service::interceptor::InterceptedService, transport::Channel,
};
use tonic_types::StatusExt as _;
use uuid::Uuid;

pub use tongxin_platform::testing::register::{
    COUNTY, OTHER_COUNTY, OTHER_VILLAGE, PROVINCE, TOWN, VILLAGE, VILLAGE_ELSEWHERE, WITHDRAWN,
};

/// Puts one token on every call.
#[derive(Clone)]
pub struct Bearer(pub MetadataValue<tonic::metadata::Ascii>);

impl tonic::service::Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

type Guarded = InterceptedService<Channel, Bearer>;

/// Clients of all services of monitoring, for one caller.
#[derive(Clone)]
pub struct Clients {
    pub households: HouseholdServiceClient<Guarded>,
    pub observations: ObservationServiceClient<Guarded>,
    pub rules: RuleServiceClient<Guarded>,
    pub signals: SignalServiceClient<Guarded>,
    pub cases: CaseServiceClient<Guarded>,
    pub villages: VillageServiceClient<Guarded>,
    pub disclosures: DisclosureServiceClient<Guarded>,
}

pub struct TestApp {
    pub world: TestWorld,
    /// Of the role that owns the tables, which sees all.
    pub owner: PgPool,
    pub database: Database,
    pub channel: Channel,
    config: Config,
    running: Running,
    _keys: TempDir,
    _stop: DropGuard,
}

/// The moment at which tests stand still: 2025-06-30, noon in Shanghai.
pub fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2025-06-30T04:00:00Z").unwrap().into()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "as fields of messages have it")]
pub fn date(text: &str) -> Option<Date> {
    Some(day(text).into())
}

pub fn new_request_id() -> String {
    Uuid::new_v4().to_string()
}

/// New keys in a folder.
pub fn new_keys(folder: &TempDir) -> PersonalConfig {
    let write = |name: &str| {
        let path = folder.path().join(name);
        let digits = Uuid::new_v4().simple().to_string() + &Uuid::new_v4().simple().to_string();
        fs::write(&path, digits).unwrap();
        path
    };
    PersonalConfig {
        suite: Suite::default(),
        current_key: KeyVersion::FIRST,
        key_files: BTreeMap::from([(KeyVersion::FIRST, write("master"))]),
        index_key_file: write("index"),
    }
}

impl TestApp {
    /// Started, with a register of two counties that was in force from 2021 on.
    pub async fn start() -> Self {
        Self::start_in(TestWorld::at(now()).await).await
    }

    pub async fn start_in(world: TestWorld) -> Self {
        Self::start_with(world, Database::migrated(&KIND.migrations()).await).await
    }

    /// Started while another replica has the lease to match warnings, and does nothing.
    pub async fn start_without_matcher() -> Self {
        let database = Database::migrated(&KIND.migrations()).await;
        let mut owner = PgConnection::connect(&database.owner_url).await.unwrap();
        let held = "INSERT INTO lease (name, owner, until_time)
                    VALUES ('warnings', gen_random_uuid(), now() + interval '1 hour')";
        sqlx::query(held).execute(&mut owner).await.unwrap();
        Self::start_with(TestWorld::at(now()).await, database).await
    }

    /// Stopped as it is, and started again on what it left.
    pub async fn restart(self) -> Self {
        let Self { world, database, config, running, _keys: keys, .. } = self;
        running.stop().await;
        Self::start_on(world, database, config, keys).await
    }

    async fn start_with(world: TestWorld, database: Database) -> Self {
        let keys = TempDir::new().unwrap();
        let own = json!({ "pairing": "http://127.0.0.1:1", "personal": new_keys(&keys) });
        let config = world.settings(&database, own);
        Self::start_on(world, database, config, keys).await
    }

    async fn start_on(world: TestWorld, database: Database, config: Config, keys: TempDir) -> Self {
        let stop = CancellationToken::new();
        let pairing = register::serve("pairing", now(), stop.clone()).await;
        let config = Config { pairing: format!("http://{pairing}").into(), ..config };
        let running = Running::start(config.clone(), world.shared.clone()).await;
        let app = Self {
            world,
            config,
            owner: PgPoolOptions::new().max_connections(2).connect(&database.owner_url).await.unwrap(),
            database,
            channel: running.channel(),
            running,
            _keys: keys,
            _stop: stop.drop_guard(),
        };
        eventually("the register is followed", || async { app.count("region").await > 0 }).await;
        app
    }

    /// Another replica on the same database.
    pub async fn replica(&self) -> Running {
        Running::start(self.config.clone(), self.world.shared.clone()).await
    }

    /// Clients of another replica, as of [`clients`](Self::clients).
    pub fn clients_of(&self, replica: &Running, role: &str, region: &str) -> Clients {
        Self::clients_at(&replica.channel(), &self.world.token(role, region))
    }

    /// Clients for a role in a region; the token's subject is `role@region`.
    pub fn clients(&self, role: &str, region: &str) -> Clients {
        Self::clients_at(&self.channel, &self.world.token(role, region))
    }

    /// Clients for a department in a region.
    pub fn department(&self, department: Department, region: &str) -> Clients {
        self.clients_with(&self.world.department_token(department.as_str_name(), region))
    }

    /// Clients with some token.
    pub fn clients_with(&self, token: &str) -> Clients {
        Self::clients_at(&self.channel, token)
    }

    fn clients_at(channel: &Channel, token: &str) -> Clients {
        let token = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
        let bearer = || Bearer(token.clone());
        Clients {
            households: HouseholdServiceClient::with_interceptor(channel.clone(), bearer()),
            observations: ObservationServiceClient::with_interceptor(channel.clone(), bearer()),
            rules: RuleServiceClient::with_interceptor(channel.clone(), bearer()),
            signals: SignalServiceClient::with_interceptor(channel.clone(), bearer()),
            cases: CaseServiceClient::with_interceptor(channel.clone(), bearer()),
            villages: VillageServiceClient::with_interceptor(channel.clone(), bearer()),
            disclosures: DisclosureServiceClient::with_interceptor(channel.clone(), bearer()),
        }
    }

    /// Headquarters, everywhere and for any date.
    pub fn hq(&self) -> Clients {
        self.clients("hq", PROVINCE)
    }

    /// Rows of a table, whatever their region.
    pub async fn count(&self, table: &str) -> i64 {
        let query = format!("SELECT count(*) FROM {table}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&self.owner).await.unwrap()
    }

    /// Waits until nobody waits to be matched with warnings.
    pub async fn settled(&self) {
        eventually("all are matched", || async { self.count("match_queue").await == 0 }).await;
    }

    /// The events of one type in the log, oldest first, whether sequenced or not.
    pub async fn events<E: Message + Name + Default>(&self) -> Vec<E> {
        let payloads: Vec<Vec<u8>> = sqlx::query_scalar("SELECT payload FROM event WHERE event_type = $1 ORDER BY id")
            .bind(E::full_name())
            .fetch_all(&self.owner)
            .await
            .unwrap();
        payloads.iter().map(|payload| E::decode(payload.as_slice()).unwrap()).collect()
    }
}

/// What a caller is told: the code, the reason, and the fields that are wrong.
pub fn told(status: &Status) -> (Code, String, Vec<String>) {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
    let wrong = details.bad_request().into_iter().flat_map(|bad| bad.field_violations.iter().map(|one| &one.field));
    let unmet =
        details.precondition_failure().into_iter().flat_map(|unmet| unmet.violations.iter().map(|one| &one.subject));
    (status.code(), reason, wrong.chain(unmet).cloned().collect())
}
