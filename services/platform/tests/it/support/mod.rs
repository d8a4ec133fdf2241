//! A small service that platform's own tests are about: tallies of what is counted in villages.

mod stage;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{Connection as _, Executor as _, PgConnection, migrate::Migrator};
use tongxin_proto::Identified;
use uuid::Uuid;

use tongxin_platform::{
    access::Caller,
    db::Migrations,
    error::{Error, Refusal},
    grpc::MethodPath,
    log::{self, NewEvent},
    region::RegionCode,
    request::{Call, Command, Context, Personal},
    testing::Database,
};

pub use stage::{CONSUMER, DREADED, Follower, SOURCE, Source, Totals, everywhere};

/// The moment at which tests take place.
pub fn noon() -> DateTime<Utc> {
    "2025-06-01T04:00:00Z".parse().unwrap()
}

pub fn region(code: &str) -> RegionCode {
    RegionCode::parse(code).unwrap()
}

/// A county, and a village in it.
pub const COUNTY: &str = "441823000000";
pub const VILLAGE: &str = "441823107201";

/// A village of another county.
pub const ELSEWHERE: &str = "441825104201";

pub fn migrations() -> Migrations {
    Migrations::with_platform(&Migrator::with_migrations(Vec::new()))
}

/// A database with platform's tables and those of the sample, for source and consumer alike.
pub async fn database() -> Database {
    let database = Database::migrated(&migrations()).await;
    let mut owner = owner(&database).await;
    let tables = "
        CREATE TABLE tally (
            tally_id    text PRIMARY KEY,
            region_code bigint NOT NULL,
            reached     bigint NOT NULL
        );
        CALL restrict_to_region('tally');
        CREATE TABLE total (
            tally_id text PRIMARY KEY,
            total    bigint NOT NULL CONSTRAINT total_not_negative CHECK (total >= 0)
        );
        CREATE TABLE seen (
            position bigint GENERATED ALWAYS AS IDENTITY,
            seq      bigint NOT NULL,
            tally_id text NOT NULL,
            reached  bigint NOT NULL
        );
        GRANT SELECT, INSERT, UPDATE, DELETE ON tally, total, seen TO tongxin_app";
    owner.execute(tables).await.unwrap();
    database
}

pub async fn owner(database: &Database) -> PgConnection {
    PgConnection::connect(&database.owner_url).await.unwrap()
}

/// Asks for a tally to be raised.
#[derive(Clone, PartialEq, prost::Message)]
pub struct CountRequest {
    #[prost(string, tag = "1")]
    pub request_id: String,
    #[prost(string, tag = "2")]
    pub tally_id: String,
    #[prost(int64, tag = "3")]
    pub by: i64,
}

impl Identified for CountRequest {
    fn request_id(&self) -> &str {
        &self.request_id
    }
}

/// How far the tally has come.
#[derive(Clone, PartialEq, prost::Message)]
pub struct CountResponse {
    #[prost(int64, tag = "1")]
    pub reached: i64,
}

impl Personal for CountResponse {
    const ANY: bool = false;

    fn strip(&mut self) {}

    fn adopt(&mut self, _: Self) {}
}

tongxin_platform::plain_answers!((), SampleError: CountResponse);

impl From<i64> for CountResponse {
    fn from(reached: i64) -> Self {
        Self { reached }
    }
}

/// The event: a tally was raised.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Counted {
    #[prost(string, tag = "1")]
    pub tally_id: String,
    #[prost(int64, tag = "2")]
    pub by: i64,
    #[prost(int64, tag = "3")]
    pub reached: i64,
}

impl prost::Name for Counted {
    const NAME: &'static str = "Counted";
    const PACKAGE: &'static str = "tongxin.sample.v1";
}

/// Raises a tally; by 13 it panics, as a fault of ours would.
#[derive(Debug, Clone)]
pub struct Count {
    pub tally_id: String,
    pub region: RegionCode,
    pub by: i64,
}

/// Raises a tally in the usual village.
pub fn count(tally_id: &str, by: i64) -> Count {
    Count { tally_id: tally_id.to_owned(), region: region(VILLAGE), by }
}

impl Command for Count {
    type Policy = ();
    type Output = i64;
    type Error = SampleError;

    async fn apply(self, conn: &mut PgConnection, context: &Context, (): &()) -> Result<i64, SampleError> {
        let Self { tally_id, region, by } = self;
        let reached = raise(conn, &tally_id, region, by).await?;
        assert_ne!(by, 13, "on purpose");
        let counted = Counted { tally_id: tally_id.clone(), by, reached };
        let event = NewEvent::new(("tally", &tally_id), region, context.today(), &counted);
        log::append(conn, context, &[event]).await?;
        Ok(reached)
    }
}

/// Tells of something in the name of a tally, whatever it is.
pub struct Tell {
    pub tally_id: String,
    pub event: NewEvent,
}

impl Command for Tell {
    type Policy = ();
    type Output = i64;
    type Error = SampleError;

    async fn apply(self, conn: &mut PgConnection, context: &Context, (): &()) -> Result<i64, SampleError> {
        let reached = raise(conn, &self.tally_id, region(VILLAGE), 0).await?;
        log::append(conn, context, &[self.event]).await?;
        Ok(reached)
    }
}

/// Keeps the lock on the tally until the transaction ends.
async fn raise(conn: &mut PgConnection, tally_id: &str, region: RegionCode, by: i64) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "
        INSERT INTO tally (tally_id, region_code, reached)
        VALUES ($1, $2, $3)
        ON CONFLICT (tally_id) DO UPDATE
        SET reached = tally.reached + excluded.reached
        RETURNING reached
        ",
    )
    .bind(tally_id)
    .bind(region.number())
    .bind(by)
    .fetch_one(conn)
    .await
}

/// An event of a tally with a payload of one's choice.
pub fn event<Payload: prost::Message + prost::Name>(tally_id: &str, payload: &Payload) -> NewEvent {
    let today = NaiveDate::from_ymd_opt(2025, 6, 1).unwrap();
    NewEvent::new(("tally", tally_id), region(VILLAGE), today, payload)
}

#[derive(Debug, thiserror::Error, Refusal)]
#[refusal(domain = "sample.tongxin")]
pub enum SampleRefused {}

pub type SampleError = Error<SampleRefused>;

/// A person of the county without permissions: the door is not in play.
pub fn clerk(subject: &str) -> Caller {
    Caller::new(subject, region(COUNTY), std::collections::HashSet::new())
}

/// A request that nobody made before.
pub fn new_call() -> Call {
    Call::of_stream(clerk("clerk"), MethodPath::default(), &Uuid::new_v4().to_string(), [0; 32]).unwrap()
}
