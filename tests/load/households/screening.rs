//! Screening of all, beside one sequential scan.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use sqlx::PgPool;
use tongxin_proto::monitoring::v1::{ScreenHouseholdsRequest, ScreeningCount};
use tongxin_tests::entries::request_id;

use crate::{rounds::Table, world::World};

/// Above every village of the register.
const PROVINCE: &str = "440000000000";

pub async fn measure(world: &World, bare: &PgPool, count: usize, table: &mut Table) -> anyhow::Result<()> {
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
