//! Households by the million: import, screening, look-up.

mod calls;
mod copies;
mod imports;
pub mod people;
mod screening;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::ensure;
use chrono::{Datelike as _, Days, Months, NaiveDate};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tongxin_platform::clock::Clock;
use tongxin_tests::output;

use self::imports::{Rates, Tenth};
use super::{
    machine,
    rounds::Table,
    world::{VILLAGES, World},
};

pub async fn measure(world: &World, folder: &Path, count: usize, table: &mut Table) -> anyhow::Result<()> {
    machine::take_memory(folder)?;
    let bare = bare_pool(world).await?;
    register_followed(&bare).await?;
    let Rates { alone, beside } = imports::households(world, count).await?;
    let copied = copies::copy(&bare, &["member", "household"]).await?;
    let line = "households of 3 (bare: one COPY of the same rows into the same tables)";
    table.rates(&format!("import of the first {} {line}", count / 10), alone, copied);
    table.rates(
        &format!("import of the other {}, in two files at once", count - count / 10),
        imports::harmonic(&beside),
        copied,
    );
    let (first, last) = (beside[0], beside[beside.len() - 1]);
    let of = |what: fn(&Tenth) -> f64| imports::fall(&beside.iter().map(what).collect::<Vec<_>>()) * 100.0;
    table.note(
        "the last tenth of these beside the first",
        &format!(
            "{:.0}/s beside {:.0}/s; by the line through all ten {:.0} %, the machine's speed {:.0} %",
            last.rate,
            first.rate,
            of(|tenth| tenth.rate),
            of(|tenth| tenth.machine)
        ),
    );
    let observed = imports::observations(world, count).await?;
    table.rates(
        &format!("import of {count} observations while there are no rules (bare: COPY of the same rows)"),
        observed,
        copies::copy(&bare, &["observation"]).await?,
    );
    // Not before, or the import would have found what the screening is to find.
    rules(folder).await?;
    screening::measure(world, &bare, count, table).await?;
    let corrected = count / 10;
    let observed = imports::observations(world, corrected).await?;
    table.note(&format!("import of {corrected} corrections, each household screened"), &format!("{observed:.0}/s"));
    calls::measure(world, folder, &bare, count, table).await
}

/// The last day of a month that many months ago.
fn month_end(months_ago: u32) -> NaiveDate {
    let today = Clock::system().today();
    let next = today.with_day(1).and_then(|first| first.checked_sub_months(Months::new(months_ago.saturating_sub(1))));
    next.unwrap_or(today) - Days::new(1)
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
