//! Households by the million: import, look-up, screening.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use chrono::NaiveDate;
use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tongxin_proto::{
    batch::v1::{ImportOptions, ImportStatus},
    monitoring::v1::{
        FindHouseholdsRequest, HouseholdRows, ImportHouseholdsRequest, ImportObservationsRequest, ObservationRows,
        RecordObservationRequest, ScreenHouseholdsRequest, ScreeningCount, import_households_request as households,
        import_observations_request as observations,
    },
};
use tongxin_tests::{entries::request_id, output};
use uuid::Uuid;

use super::{
    people,
    rounds::{ROUNDS, Round, Table, paced, ratio, round},
    world::{VILLAGES, World, county},
};

const MESSAGE_ROWS: usize = 1_000;

/// Rows that are copied for comparison.
const COPIED: usize = 100_000;

const PROVINCE: &str = "440000000000";

pub async fn measure(world: &World, folder: &Path, count: usize, table: &mut Table) -> anyhow::Result<()> {
    let bare = bare_pool(world).await?;
    register_followed(&bare).await?;
    let tenths = import(world, count).await?;
    let copied = copy(&bare).await?;
    let all = harmonic(&tenths);
    table.rates(
        &format!("import of {count} households of 3 (bare: COPY of the same rows into the same tables)"),
        all,
        copied,
    );
    let (first, last) = (tenths[0], tenths[tenths.len() - 1]);
    table.note(
        "the last tenth of it beside the first",
        &format!("{last:.0}/s beside {first:.0}/s ({:.0} %)", last / first * 100.0),
    );
    let observed = observe(world, count).await?;
    table.note(&format!("import of {count} observations while there are no rules"), &format!("{observed:.0}/s"));
    // Not before, or the import would have found what the screening is to find.
    rules(folder).await?;
    screening(world, &bare, count, table).await?;
    let corrected = count / 10;
    let observed = observe(world, corrected).await?;
    table.note(&format!("import of {corrected} corrections, each household screened"), &format!("{observed:.0}/s"));
    rechecks(world, count, table).await?;
    finds(world, &bare, count, table).await
}

/// Monitoring's own database, as the superuser.
async fn bare_pool(world: &World) -> anyhow::Result<PgPool> {
    let url = world.instance.databases["monitoring"].replace("user=tongxin_app", "user=postgres");
    Ok(PgPoolOptions::new().max_connections(64).connect(&url).await?)
}

/// Monitoring hears of the register by events.
async fn register_followed(bare: &PgPool) -> anyhow::Result<()> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_mins(1) {
        let villages: i64 =
            sqlx::query_scalar("SELECT count(*) FROM region WHERE level = 'village'").fetch_one(bare).await?;
        if usize::try_from(villages)? == VILLAGES {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("monitoring did not hear of all villages within a minute")
}

async fn rules(folder: &Path) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/rules");
    for file in ["guangdong-2021-2025.yaml", "guangdong-2026.yaml"] {
        let path = root.join(file);
        let stored = output(&["rules", "store", &path.to_string_lossy()], folder).await?;
        ensure!(stored.status.success(), "{}", String::from_utf8_lossy(&stored.stderr));
    }
    Ok(())
}

/// Households a second in each tenth.
async fn import(world: &World, count: usize) -> anyhow::Result<Vec<f64>> {
    use households::Part;

    let request = |part| ImportHouseholdsRequest { part: Some(part) };
    let options = request(Part::Options(ImportOptions { import_id: request_id(), dry_run: false }));
    let rows = (0..count).step_by(MESSAGE_ROWS).map(move |first| {
        let rows = (first..(first + MESSAGE_ROWS).min(count)).map(|place| people::household(place, count)).collect();
        request(Part::Rows(HouseholdRows { first_row: row_number(first + 1), rows }))
    });
    let client = world.clients.households()?;
    let mut client = client.max_decoding_message_size(64 << 20);
    let mut answers = client.import_households(stream::iter(std::iter::once(options).chain(rows))).await?.into_inner();
    let mut tenths = Tenths::new(count);
    while let Some(answer) = answers.message().await? {
        tenths.reach(&answer.status.unwrap_or_default())?;
    }
    tenths.done()
}

async fn observe(world: &World, count: usize) -> anyhow::Result<f64> {
    use observations::Part;

    let request = |part| ImportObservationsRequest { part: Some(part) };
    let options = request(Part::Options(ImportOptions { import_id: request_id(), dry_run: false }));
    let rows = (0..count).step_by(MESSAGE_ROWS).map(move |first| {
        let rows =
            (first..(first + MESSAGE_ROWS).min(count)).map(|place| people::observation(place, window())).collect();
        request(Part::Rows(ObservationRows { first_row: row_number(first + 1), rows }))
    });
    let client = world.clients.observations()?;
    let mut client = client.max_decoding_message_size(64 << 20);
    let mut answers =
        client.import_observations(stream::iter(std::iter::once(options).chain(rows))).await?.into_inner();
    let mut tenths = Tenths::new(count);
    while let Some(answer) = answers.message().await? {
        tenths.reach(&answer.status.unwrap_or_default())?;
    }
    Ok(harmonic(&tenths.done()?))
}

fn row_number(row: usize) -> i64 {
    i64::try_from(row).unwrap_or(i64::MAX)
}

fn window() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 12, 31).unwrap_or_default()
}

/// When each tenth of an import was taken.
struct Tenths {
    count: usize,
    began: Instant,
    rates: Vec<f64>,
}

impl Tenths {
    fn new(count: usize) -> Self {
        Self { count, began: Instant::now(), rates: Vec::new() }
    }

    fn reach(&mut self, status: &ImportStatus) -> anyhow::Result<()> {
        ensure!(status.refused == 0, "rows were refused: {:?}", status.errors.first());
        let taken = usize::try_from(status.rows_taken)?;
        if taken * 10 >= self.count * (self.rates.len() + 1) {
            self.rates.push(ratio(self.count / 10, self.began.elapsed()));
            eprintln!("{taken} of {} rows", self.count);
            self.began = Instant::now();
        }
        Ok(())
    }

    fn done(self) -> anyhow::Result<Vec<f64>> {
        ensure!(self.rates.len() == 10, "the import ended after {} tenths", self.rates.len());
        Ok(self.rates)
    }
}

/// The rate of the whole by those of its tenths.
fn harmonic(rates: &[f64]) -> f64 {
    let sum: f64 = rates.iter().map(|rate| 1.0 / rate).sum();
    f64::from(u32::try_from(rates.len()).unwrap_or(1)) / sum
}

/// COPY of such households and members into tables with the same columns, constraints and indexes.
async fn copy(pool: &PgPool) -> anyhow::Result<f64> {
    let mut conn = pool.acquire().await?;
    for table in ["member", "household"] {
        let sql = format!("DROP TABLE IF EXISTS bare_{table}; CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *conn).await?;
    }
    // What the service wrote, into tables without it: the same widths in the same order.
    let first = format!("SELECT household_id FROM household ORDER BY household_id LIMIT {COPIED}");
    let mut copies = Vec::new();
    for table in ["household", "member"] {
        let columns = columns(&mut conn, table).await?;
        let query = format!("SELECT {columns} FROM {table} WHERE household_id IN ({first}) ORDER BY household_id");
        copies.push((format!("COPY bare_{table} ({columns}) FROM STDIN"), copied_out(&mut conn, &query).await?));
    }
    let households = String::from_utf8_lossy(&copies[0].1).lines().count();
    let began = Instant::now();
    for (statement, rows) in &copies {
        let mut copy = conn.copy_in_raw(statement).await?;
        copy.send(rows.as_slice()).await?;
        copy.finish().await?;
    }
    Ok(ratio(households, began.elapsed()))
}

/// The columns of a table that are written.
async fn columns(conn: &mut sqlx::PgConnection, table: &str) -> anyhow::Result<String> {
    let columns = sqlx::query_scalar(
        "SELECT string_agg(column_name, ', ' ORDER BY ordinal_position)
         FROM information_schema.columns
         WHERE table_name = $1 AND is_generated = 'NEVER'",
    );
    Ok(columns.bind(table).fetch_one(conn).await?)
}

async fn copied_out(conn: &mut sqlx::PgConnection, query: &str) -> anyhow::Result<Vec<u8>> {
    let mut rows = conn.copy_out_raw(&format!("COPY ({query}) TO STDOUT")).await?;
    let mut bytes = Vec::new();
    while let Some(part) = rows.next().await {
        bytes.extend_from_slice(&part?);
    }
    Ok(bytes)
}

async fn screening(world: &World, bare: &PgPool, count: usize, table: &mut Table) -> anyhow::Result<()> {
    sqlx::query("ANALYZE profile").execute(bare).await?;
    let peak = Peak::watch(world);
    let began = Instant::now();
    let found = screen(world).await?;
    let took = began.elapsed();
    let memory = peak.stop();
    ensure!(usize::try_from(found.households)? == count, "{} households were screened", found.households);
    let began = Instant::now();
    let again = screen(world).await?;
    let took_again = began.elapsed();
    ensure!(again.signals == 0, "a second screening raised {} signals", again.signals);
    let began = Instant::now();
    let below: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM profile
         WHERE per_capita_net_income < 1000000 OR out_of_pocket * 2 > net_income OR loss > 1000000 OR NOT water_safe
            OR housing_grade IN ('C', 'D') OR children_out_of_school > 0 OR uninsured > 0 OR labourers = 0
            OR (workers = 0 AND wages = 0) OR NOT schooling_guaranteed OR NOT medical_guaranteed OR shocks <> 0",
    )
    .fetch_one(bare)
    .await?;
    let scan = began.elapsed();
    table.note(
        &format!("screening of {count} households: {} flagged, {} new signals", found.flagged, found.signals),
        &format!("{:.2} s, peak of the program's memory {memory} MiB", took.as_secs_f64()),
    );
    table.note("the same again, nothing new", &format!("{:.2} s", took_again.as_secs_f64()));
    table.note(
        &format!("bare: 12 predicates in one sequential scan ({below} rows)"),
        &format!("{:.2} s", scan.as_secs_f64()),
    );
    Ok(())
}

async fn screen(world: &World) -> anyhow::Result<ScreeningCount> {
    let request = ScreenHouseholdsRequest { request_id: request_id(), region_code: PROVINCE.to_owned() };
    let mut answers = world.clients.rules()?.screen_households(request).await?.into_inner();
    let mut last = None;
    while let Some(answer) = answers.message().await? {
        last = answer.done.then_some(answer.count).flatten();
    }
    last.context("the screening did not end")
}

/// The most memory that the program had while something ran.
struct Peak {
    watch: tokio::task::JoinHandle<()>,
    most: Arc<AtomicU64>,
}

impl Peak {
    fn watch(world: &World) -> Self {
        let most = Arc::new(AtomicU64::new(0));
        let (pid, seen) = (world.instance.pid, Arc::clone(&most));
        let watch = tokio::spawn(async move {
            loop {
                seen.fetch_max(tongxin_tests::memory_kib(pid).unwrap_or(0), Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        Self { watch, most }
    }

    /// In MiB.
    fn stop(self) -> u64 {
        self.watch.abort();
        self.most.load(Relaxed) / 1024
    }
}

/// Each call records an observation and checks its household by all rules.
async fn rechecks(world: &World, count: usize, table: &mut Table) -> anyhow::Result<()> {
    const CALLS: usize = 2_000;
    let window = NaiveDate::from_ymd_opt(2026, 3, 31).unwrap_or_default();
    for clients in [1, 16] {
        let client = world.clients.observations()?;
        let rechecked = round(clients, CALLS / clients, move |own, number| {
            let mut client = client.clone();
            let place = (own * CALLS + number) * 7_919 % count;
            async move {
                let observation = Some(people::observation(place, window));
                client.record_observation(RecordObservationRequest { request_id: request_id(), observation }).await?;
                Ok(())
            }
        });
        table.latency(
            &format!("RecordObservation with the re-check of the household, {clients} clients"),
            rechecked.await?,
        );
    }
    Ok(())
}

async fn finds(world: &World, bare: &PgPool, count: usize, table: &mut Table) -> anyhow::Result<()> {
    const CALLS: usize = 6_400;
    let persons = count * people::MEMBERS;
    let (mut by_number, mut paced_by_number, mut by_name, mut reads) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let number = move |person| FindHouseholdsRequest {
        id_number: people::id_number(person % persons),
        ..FindHouseholdsRequest::default()
    };
    let ids: Vec<Uuid> = sqlx::query_scalar("SELECT household_id FROM household TABLESAMPLE SYSTEM (1) LIMIT 10000")
        .fetch_all(bare)
        .await?;
    let ids = Arc::new(ids);
    for _ in 0..ROUNDS {
        by_number.push(round(64, CALLS / 64, finder(world, CALLS, number)?).await?);
        paced_by_number.push(paced(64, 100, Duration::from_millis(100), finder(world, CALLS, number)?).await?);
        let name = move |person| FindHouseholdsRequest {
            name: people::name(person % persons),
            region_code: county(&people::village_of(person % persons / people::MEMBERS, count)),
            ..FindHouseholdsRequest::default()
        };
        by_name.push(round(16, CALLS / 64, finder(world, CALLS, name)?).await?);
        let (pool, ids) = (bare.clone(), Arc::clone(&ids));
        reads.push(
            round(64, CALLS / 64, move |own, number| {
                let (pool, id) = (pool.clone(), ids[(own * 101 + number) % ids.len()]);
                async move {
                    sqlx::query("SELECT * FROM household WHERE household_id = $1").bind(id).fetch_one(&pool).await?;
                    Ok(())
                }
            })
            .await?,
        );
    }
    table.beside(
        "FindHouseholds by ID number, 64 clients, each at once again (bare: a read by primary key)",
        Round::median(by_number),
        Round::median(reads),
    );
    table.latency("the same, each client 10 times a second", Round::median(paced_by_number));
    table.latency("FindHouseholds by full name in a county, 16 clients", Round::median(by_name));
    Ok(())
}

/// Looks up the person of a client's call, another one each time.
fn finder<Asked>(
    world: &World,
    calls: usize,
    ask: Asked,
) -> anyhow::Result<impl Fn(usize, usize) -> BoxFuture<'static, anyhow::Result<()>> + Clone + Send + use<Asked>>
where
    Asked: Fn(usize) -> FindHouseholdsRequest + Clone + Send + 'static,
{
    let client = world.clients.households()?;
    Ok(move |own: usize, number: usize| {
        let (mut client, request) = (client.clone(), ask((own * calls + number) * 7_919));
        async move {
            let found = client.find_households(request).await?.into_inner();
            ensure!(!found.households.is_empty(), "nobody was found");
            Ok(())
        }
        .boxed()
    })
}
