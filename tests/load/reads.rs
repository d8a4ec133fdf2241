//! Scorecards, and how soon they follow.

use std::time::{Duration, Instant};

use chrono::NaiveDate;
use tongxin_proto::gateway::v1::GetScorecardRequest;
use tongxin_tests::entries::party_pairing;

use super::{
    rounds::{ROUNDS, Round, Table, round},
    world::World,
    writes,
};

/// Pairings whose way to the scorecard is timed.
const FOLLOWED: usize = 200;

const CALLS: usize = 3_200;

pub async fn measure(world: &World, table: &mut Table) -> anyhow::Result<()> {
    level(world).await?;
    table.latency("from the answer of EstablishPairing to a scorecard that shows it", delay(world).await?);
    for clients in [1, 16] {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let gateway = world.clients.gateway()?;
            rounds.push(
                round(clients, CALLS / clients, move |_, _| {
                    let mut gateway = gateway.clone();
                    async move {
                        gateway.get_scorecard(of("441800000000")).await?;
                        Ok(())
                    }
                })
                .await?,
            );
        }
        table.latency(&format!("GetScorecard of the city, {clients} clients"), Round::median(rounds));
    }
    Ok(())
}

fn of(region: &str) -> GetScorecardRequest {
    GetScorecardRequest { region_code: region.to_owned(), as_of: None }
}

/// Waits until what was written before has been counted.
async fn level(world: &World) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let head: i64 = sqlx::query_scalar("SELECT seq FROM log_head").fetch_one(&world.bare).await?;
        let waiting: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM event WHERE seq IS NULL)").fetch_one(&world.bare).await?;
        // The region itself may not have come yet.
        let scorecard = world.clients.scorecard("441800000000", None).await.unwrap_or_default();
        if !waiting && scorecard.heads.iter().any(|counted| counted.source == "pairing" && counted.seq >= head) {
            eprintln!("level with the log ({head} events) after {:.1} s", started.elapsed().as_secs_f64());
            return Ok(());
        }
        anyhow::ensure!(started.elapsed() < Duration::from_mins(5), "the scorecard does not follow");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn delay(world: &World) -> anyhow::Result<Round> {
    let pairs = writes::pairs(world, FOLLOWED).await?;
    level(world).await?;
    let (mut pairing, mut gateway) = (world.clients.pairing()?, world.clients.gateway()?);
    let starts_on = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap_or_default();
    let began = Instant::now();
    let mut times = Vec::new();
    for pair in pairs.iter() {
        let before = supporters(&mut gateway, &pair.village).await?;
        pairing.establish_pairing(party_pairing(&pair.supporter, &pair.recipient, starts_on)).await?;
        let answered = Instant::now();
        while supporters(&mut gateway, &pair.village).await? == before {
            anyhow::ensure!(answered.elapsed() < Duration::from_secs(10), "the scorecard does not follow");
        }
        times.push(answered.elapsed());
    }
    Ok(Round::of(times, began.elapsed()))
}

async fn supporters(gateway: &mut tongxin_tests::Gateway, region: &str) -> anyhow::Result<i64> {
    let scorecard = gateway.get_scorecard(of(region)).await?.into_inner().scorecard.unwrap_or_default();
    let figure =
        scorecard.figures.into_iter().find(|figure| figure.indicator_id == "supporter_party_organisations_paired");
    Ok(figure.map(|figure| figure.value).unwrap_or_default())
}
