//! Loads the sample year and shows the scorecard once all of it is projected.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tongxin_platform::{
    db::{self, DbConfig, Scope},
    log,
};

use super::world::World;
use crate::{
    client::Gateway,
    figures::Card,
    lang::told,
    sample::{self, Files, Kept, SampleName, Year},
};

const LEVEL_WITHIN: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Returns how many figures differ from the published ones.
pub async fn load_and_show(world: &World, name: SampleName) -> Result<usize> {
    let files = Files::of(name)?;
    let (year, kept) = (Year::of(&files)?, Kept::of(&files)?);
    let gateway = Gateway::at(world.instance.place(), &world.instance.token_file)?;

    let register = Gateway::at(world.instance.place(), &world.instance.operator_token_file)?;

    let begun = Instant::now();
    let departments = |department| world.gateway_of(department);
    sample::load((&gateway, &register), &departments, &files, (&year, &kept)).await?;
    let load_seconds = begun.elapsed().as_secs_f64();
    let loaded = Instant::now();
    level(world, &gateway, &files).await?;
    let behind = loaded.elapsed().as_millis();

    let comparison = sample::compare(&gateway, &files).await?;
    say!("{}", comparison.text())?;
    let differing = comparison.differing();
    let line = told!(
        "{} of {} published figures that these services know are confirmed by records; loaded in {load_seconds:.1} s, \
         counted {behind} ms later",
        "公布的数字中系统能统计的有 {1} 个，其中 {0} 个与记录相符；载入用时 {load_seconds:.1} 秒，再过 {behind} 毫秒统计完毕",
        comparison.compared() - differing.len(),
        comparison.compared()
    );
    say!("{line}")?;
    for indicator in &differing {
        note!("{}", told!("not as published: {indicator}", "与公布的不符：{indicator}"));
    }
    Ok(differing.len())
}

/// Waits until the scorecard includes all events recorded so far.
async fn level(world: &World, gateway: &Gateway, files: &Files) -> Result<()> {
    let counts_all = async {
        for source in world.counted() {
            counts(world, gateway, files, source).await?;
        }
        anyhow::Ok(())
    };
    match tokio::time::timeout(LEVEL_WITHIN, counts_all).await {
        Ok(counted) => counted,
        Err(_) => bail!(told!(
            "the scorecard did not count all events within {LEVEL_WITHIN:?}: see tongxin.log",
            "指标总表在 {LEVEL_WITHIN:?} 内没有统计完全部事件：请看 tongxin.log"
        )),
    }
}

async fn counts(world: &World, gateway: &Gateway, files: &Files, source: &str) -> Result<()> {
    let url = world.instance.databases.get(source);
    let url = url.with_context(|| told!("the database of {source} is not known", "不知道 {source} 的数据库在哪里"))?;
    let pool = db::open(&DbConfig { max_connections: 1, ..DbConfig::at(url) }).await?;
    loop {
        let mut tx = Scope::EVERYWHERE.read(&pool).await?;
        let waiting: i64 =
            sqlx::query_scalar("SELECT count(*) FROM event WHERE seq IS NULL").fetch_one(&mut *tx).await?;
        tx.rollback().await?;
        if waiting == 0 {
            let head = log::head(&pool).await?.seq;
            let card = Card::of(gateway, files.manifest.region, Some(files.manifest.as_of)).await;
            // The region may not be known yet.
            if card.is_ok_and(|card| card.counted(source) >= head) {
                return Ok(());
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
