//! The sample service running, and a consumer that follows it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use async_nats::jetstream::{self, context::ContextBuilder};
use prost::{Message as _, Name as _};
use rustix::process::{Pid, Signal, kill_process};
use secrecy::SecretString;
use sqlx::{PgConnection, PgPool};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tongxin_proto::log::v1::log_service_server::{LogServiceServer, SERVICE_NAME};
use tongxin_servers::Nats;
use tonic::service::Routes;

use super::{Count, CountResponse, Counted, Tell, count, database, new_call, noon};
use tongxin_platform::{
    broker::{self, BrokerConfig},
    consumer::{Consumer, Envelope, EventHandler, HandlerError, LogClient, Progress},
    db::{self, DbConfig},
    grpc::{self, GrpcConfig, Server},
    log::{self, LogReader, NewEvent, Relay, RelayWake},
    request::{Command, RequestKeys, Writer},
    testing::{Database, TestWorld, eventually},
};

pub const SOURCE: &str = "sample";
pub const CONSUMER: &str = "watcher";

/// How a source's relay is made.
#[derive(Clone, Copy)]
enum Made {
    Usual,
    /// Looks once an hour.
    Drowsy,
    /// Waits an hour for the broker.
    Patient,
    /// Begins while the broker is halted.
    Alone,
}

/// The sample service with a broker of its own.
pub struct Source {
    pub database: Database,
    pub pool: PgPool,
    pub writer: Writer<()>,
    pub nats: Nats,
    pub jetstream: jetstream::Context,
    pub world: TestWorld,
    address: String,
    _stop: DropGuard,
}

impl Source {
    pub async fn start() -> Self {
        let wake = RelayWake::default();
        Self::start_with(wake.clone(), wake, GrpcConfig::default(), Made::Usual).await
    }

    /// A source that gives up answers that stream for more than a second.
    pub async fn curt() -> Self {
        let wake = RelayWake::default();
        let config = GrpcConfig { stream_timeout_seconds: 1, ..GrpcConfig::default() };
        Self::start_with(wake.clone(), wake, config, Made::Usual).await
    }

    /// A source whose relay nobody wakes.
    pub async fn never_woken() -> Self {
        Self::start_with(RelayWake::default(), RelayWake::default(), GrpcConfig::default(), Made::Usual).await
    }

    /// A source whose relay waits an hour for a broker that does not answer.
    pub async fn patient() -> Self {
        let wake = RelayWake::default();
        Self::start_with(wake.clone(), wake, GrpcConfig::default(), Made::Patient).await
    }

    /// A source that starts while its broker does not run.
    pub async fn without_broker() -> Self {
        let wake = RelayWake::default();
        Self::start_with(wake.clone(), wake, GrpcConfig::default(), Made::Alone).await
    }

    /// A source whose relay looks once an hour unless it is woken.
    pub async fn only_woken() -> Self {
        let wake = RelayWake::default();
        Self::start_with(wake.clone(), wake, GrpcConfig::default(), Made::Drowsy).await
    }

    async fn start_with(woken_by_writer: RelayWake, relays: RelayWake, config: GrpcConfig, relay_is: Made) -> Self {
        let nats = Nats::temporary().await.unwrap();
        if matches!(relay_is, Made::Alone) {
            nats.halt().await;
        }
        let broker = BrokerConfig { url: SecretString::from(nats.url()), ..BrokerConfig::default() };
        let jetstream = broker::connect(&broker, "test").await.unwrap();
        let world = TestWorld::at(noon()).await;
        let database = database().await;
        let pool = db::connect(&DbConfig::at(&database.app_url)).await.unwrap();
        let writer = Writer::new(pool.clone(), world.clock.clone(), woken_by_writer, RequestKeys::for_tests(), ());

        let stop = CancellationToken::new();
        let routes = Routes::new(LogServiceServer::new(LogReader::new(pool.clone())));
        let access = Arc::clone(&world.shared.access);
        let server = Server::bind(config, access, (&tongxin_proto::PRODUCT, &[SERVICE_NAME]), routes).await.unwrap();
        let address = format!("http://{}", server.address().unwrap());
        tokio::spawn(server.run(stop.clone()));
        let hour = Duration::from_hours(1);
        let relay = match relay_is {
            Made::Usual | Made::Alone => Relay::new(SOURCE, pool.clone(), jetstream.clone(), relays),
            Made::Drowsy => Relay::new(SOURCE, pool.clone(), jetstream.clone(), relays).that_looks_every(hour),
            Made::Patient => {
                let patient = ContextBuilder::new().timeout(hour).ack_timeout(hour);
                let jetstream = patient.build(jetstream.client().clone());
                Relay::new(SOURCE, pool.clone(), jetstream, relays).with_publish_timeout(hour)
            }
        };
        tokio::spawn(relay.run(stop.clone()));
        Self { database, pool, writer, nats, jetstream, world, address, _stop: stop.drop_guard() }
    }

    pub async fn count(&self, tally_id: &str, by: i64) -> i64 {
        self.execute(count(tally_id, by)).await
    }

    pub async fn tell(&self, tally_id: &str, event: NewEvent) -> i64 {
        self.execute(Tell { tally_id: tally_id.to_owned(), event }).await
    }

    pub async fn execute<C>(&self, command: C) -> i64
    where
        C: Command<Policy = (), Output = i64, Error = <Count as Command>::Error>,
    {
        self.writer.execute::<_, CountResponse>(new_call(), command).await.unwrap().reached
    }

    /// Raises a tally so many times that one by one would take long.
    pub async fn count_many(&self, tally_id: &str, times: i64) {
        let payload = Counted { tally_id: tally_id.to_owned(), by: 1, reached: 0 }.encode_to_vec();
        let statement = "
            INSERT INTO event (event_id, event_type, aggregate_type, aggregate_id, version, region_code, occurred_on,
                               record_time, actor, trace_parent, payload)
            SELECT gen_random_uuid(), $1, 'tally', $2, version, 441823107201, '2025-06-01', now(), '', '', $3
            FROM generate_series(1, $4) AS version";
        let mut owner = super::owner(&self.database).await;
        let written = sqlx::query(statement).bind(Counted::full_name()).bind(tally_id).bind(payload).bind(times);
        written.execute(&mut owner).await.unwrap();
    }

    pub async fn head(&self) -> log::Head {
        log::head(&self.pool).await.unwrap()
    }

    /// Waits until the broker was given every event.
    pub async fn published(&self, seq: i64) {
        eventually("the broker has all events", || async { self.head().await.published_seq >= seq }).await;
    }

    /// Stops the broker where it stands, its connections open, or lets it go on.
    pub fn signal_broker(&self, signal: Signal) {
        let pid = self.nats.state().pid().unwrap();
        kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
    }

    pub fn log_client(&self) -> LogClient {
        LogClient::new(grpc::channel(&self.address).unwrap(), self.world.shared.credentials.clone())
    }
}

/// A consumer of the sample's events with a database of its own.
pub struct Follower {
    pub pool: PgPool,
    pub handler: Arc<Totals>,
    pub progress: Progress,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Follower {
    pub async fn start(source: &Source) -> Self {
        let pool = db::connect(&DbConfig::at(&database().await.app_url)).await.unwrap();
        let handler = Arc::new(Totals::default());
        let (progress, stop, task) = follow(source, &pool, &handler);
        Self { pool, handler, progress, stop, task }
    }

    /// Stops it; its database keeps what it has.
    pub async fn stop(&mut self) {
        self.stop.cancel();
        (&mut self.task).await.unwrap();
    }

    /// Starts it again where it ended.
    pub fn go_on(&mut self, source: &Source) {
        (self.progress, self.stop, self.task) = follow(source, &self.pool, &self.handler);
    }

    /// Waits until it has taken every event of the source.
    pub async fn settle(&self, source: &Source) {
        eventually("the consumer is level with its source", || async {
            let unsequenced: i64 = everywhere(&source.pool, "SELECT count(*) FROM event WHERE seq IS NULL").await;
            let head = source.head().await;
            unsequenced == 0 && self.cursor().await == (head.epoch, head.seq)
        })
        .await;
    }

    pub async fn cursor(&self) -> (i64, i64) {
        let cursor = sqlx::query_as("SELECT epoch, seq FROM cursor").fetch_optional(&self.pool).await;
        cursor.unwrap().unwrap_or_default()
    }

    pub async fn totals(&self) -> Vec<(String, i64)> {
        let totals = "SELECT tally_id, total FROM total ORDER BY tally_id";
        sqlx::query_as(totals).fetch_all(&self.pool).await.unwrap()
    }

    /// What was handled, in the order in which it was.
    pub async fn seen(&self) -> Vec<(i64, String, i64)> {
        let seen = "SELECT seq, tally_id, reached FROM seen ORDER BY position";
        sqlx::query_as(seen).fetch_all(&self.pool).await.unwrap()
    }

    /// The parked events with their reasons.
    pub async fn parked(&self) -> Vec<(i64, String)> {
        let parked = "SELECT seq, reason FROM parked_event ORDER BY seq";
        sqlx::query_as(parked).fetch_all(&self.pool).await.unwrap()
    }

    /// Waits until every event of the source has had its effect exactly once, in its order.
    pub async fn has_each_event_once(&self, source: &Source) {
        self.settle(source).await;
        let seen: Vec<i64> = self.seen().await.into_iter().map(|(seq, _, _)| seq).collect();
        let all: Vec<i64> = (1..=source.head().await.seq).collect();
        assert_eq!(seen, all);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn follow(source: &Source, pool: &PgPool, handler: &Arc<Totals>) -> (Progress, CancellationToken, JoinHandle<()>) {
    let (jetstream, log) = (source.jetstream.clone(), source.log_client());
    let consumer = Consumer::new((CONSUMER, SOURCE), pool.clone(), jetstream, log, Arc::clone(handler));
    let stop = CancellationToken::new();
    (consumer.progress(), stop.clone(), tokio::spawn(consumer.run(stop)))
}

/// Asks for a number, seeing every region.
pub async fn everywhere(pool: &PgPool, question: &'static str) -> i64 {
    let mut tx = db::Scope::EVERYWHERE.read(pool).await.unwrap();
    sqlx::query_scalar(question).fetch_one(&mut *tx).await.unwrap()
}

/// Adds up what is counted, and trips over bad events until it is repaired.
#[derive(Default)]
pub struct Totals {
    repaired: AtomicBool,
    slow: AtomicBool,
}

/// A count that the handler panics at.
pub const DREADED: i64 = 666;

impl Totals {
    pub fn repair(&self) {
        self.repaired.store(true, Relaxed);
    }

    /// Takes 50 ms for each event from here on.
    pub fn slow_down(&self) {
        self.slow.store(true, Relaxed);
    }

    fn read(&self, event: &Envelope) -> Result<Counted, HandlerError> {
        let repaired = self.repaired.load(Relaxed);
        if event.event_type != Counted::full_name() && !repaired {
            return Err(HandlerError::reject(format!("{} is not known", event.event_type)));
        }
        match Counted::decode(event.payload.as_slice()) {
            Ok(counted) if repaired => Ok(Counted { by: counted.by.max(0), ..counted }),
            Ok(counted) => Ok(counted),
            Err(_) if repaired => Ok(Counted::default()),
            Err(error) => Err(HandlerError::reject(error)),
        }
    }
}

impl EventHandler for Totals {
    async fn handle(&self, conn: &mut PgConnection, events: &[Envelope]) -> Result<(), HandlerError> {
        for event in events {
            let counted = self.read(event)?;
            if self.slow.load(Relaxed) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            assert!(counted.by != DREADED || self.repaired.load(Relaxed), "on purpose");
            sqlx::query("INSERT INTO seen (seq, tally_id, reached) VALUES ($1, $2, $3)")
                .bind(event.seq)
                .bind(&event.aggregate_id)
                .bind(counted.reached)
                .execute(&mut *conn)
                .await?;
            sqlx::query(
                "
                INSERT INTO total (tally_id, total)
                VALUES ($1, $2)
                ON CONFLICT (tally_id) DO UPDATE
                SET total = total.total + excluded.total
                ",
            )
            .bind(&event.aggregate_id)
            .bind(counted.by)
            .execute(&mut *conn)
            .await?;
        }
        Ok(())
    }

    async fn forget(&self, conn: &mut PgConnection, _: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql("DELETE FROM seen; DELETE FROM total").execute(conn).await?;
        Ok(())
    }
}
