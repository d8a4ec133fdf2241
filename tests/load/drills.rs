//! What a good client notices of attacks, registrations of warnings, and a department of who is registered.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use futures::stream;
use tongxin_proto::{
    Date,
    monitoring::v1::{
        Department, RegisterHouseholdRequest, Risk, SubmitWarningsRequest, Warning, WarningOptions, WarningRows,
        submit_warnings_request::Part,
    },
};
use tongxin_tests::{
    Clients, Program,
    attacks::{self, Attack, CITY, Good, LIMITS, Meanwhile, Target, VILLAGE, lay_ground},
    entries::request_id,
};

use super::{
    households::people,
    rounds::{Round, Table},
};

/// How long the good client calls, quiet and under each attack.
const FOR: Duration = Duration::from_secs(5);

/// Warnings about one person, and of them in a message.
const WARNINGS: usize = 100_000;
const MESSAGE: usize = 5_000;

/// Registrations, and warnings of one row each way, that are timed.
const CALLS: usize = 200;

/// A program of its own, with limits that a few connections reach.
pub async fn measure(folder: &Path, table: &mut Table) -> anyhow::Result<()> {
    let folder = folder.join("drills");
    let mut program = Program::start(&folder, &["--limits", LIMITS])?;
    let instance = program.instance().await?;
    let clients = Clients::of(&instance)?;
    lay_ground(&clients).await?;
    level(&clients).await?;
    under_attacks(&clients, &Target::new(&instance.gateway, folder), table).await?;
    who_is_registered(&clients, table).await?;
    beside_warnings(&clients, table).await?;
    program.stop().await?;
    Ok(())
}

/// Waits until the gateway knows the register.
async fn level(clients: &Clients) -> anyhow::Result<()> {
    let began = Instant::now();
    while clients.scorecard(CITY, None).await.is_err() {
        ensure!(began.elapsed() < Duration::from_mins(1), "the register does not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn under_attacks(clients: &Clients, target: &Target, table: &mut Table) -> anyhow::Result<()> {
    let quiet = met(clients, target, None).await?;
    table.note("a good client, quiet: p99", &times(&quiet));
    for attack in attacks::ALL {
        level(clients).await?;
        let under = met(clients, target, Some(*attack)).await?;
        let ratio = under.quantile(990).as_secs_f64() / quiet.quantile(990).as_secs_f64();
        table.note(&format!("the same under {}", attack.name), &format!("{}, {ratio:.1} x", times(&under)));
    }
    Ok(())
}

async fn met(clients: &Clients, target: &Target, attack: Option<Attack>) -> anyhow::Result<Meanwhile> {
    let running = attack.map(|attack| attack.begin(target));
    let good = Good::begin(clients, CITY);
    tokio::time::sleep(FOR).await;
    let met = good.end().await?;
    if let Some(running) = running {
        running.end().await?;
    }
    Ok(met)
}

fn times(met: &Meanwhile) -> String {
    let (answered, failed) = (met.times.len(), met.failures.len());
    format!("{:.1} ms, {answered} answered, {failed} failed", met.quantile(990).as_secs_f64() * 1_000.0)
}

/// How long the answer about a person takes whom nobody knows, and about one who is registered.
async fn who_is_registered(clients: &Clients, table: &mut Table) -> anyhow::Result<()> {
    const PERSON: usize = 3_000_000;
    register(clients, PERSON / people::MEMBERS).await?;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let began = Instant::now();
    for call in 0..CALLS {
        for (times, person) in [(&mut known, PERSON), (&mut unknown, PERSON + 1_000 * people::MEMBERS)] {
            let warned = Instant::now();
            warn(clients, person, call..=call).await?;
            times.push(warned.elapsed());
        }
    }
    let took = began.elapsed();
    table.beside(
        "SubmitWarnings of one about a registered person (bare: about an unknown one)",
        Round::of(known, took),
        Round::of(unknown, took),
    );
    Ok(())
}

/// Registrations, quiet and while somebody warns of one person over and over.
async fn beside_warnings(clients: &Clients, table: &mut Table) -> anyhow::Result<()> {
    const PERSON: usize = 6_000_000;
    const FIRST: usize = 2_100_000;
    register(clients, PERSON / people::MEMBERS).await?;
    let (quiet, _) = registrations(clients, FIRST, || false).await?;
    let is_done = Arc::<AtomicBool>::default();
    let warning = tokio::spawn({
        let (clients, is_done) = (clients.clone(), Arc::clone(&is_done));
        async move {
            let began = Instant::now();
            for first in (0..WARNINGS).step_by(MESSAGE) {
                warn(&clients, PERSON, first + CALLS..=first + CALLS + MESSAGE - 1).await?;
            }
            is_done.store(true, Ordering::Relaxed);
            anyhow::Ok(began.elapsed())
        }
    });
    let (beside, failed) = registrations(clients, FIRST + CALLS, || is_done.load(Ordering::Relaxed)).await?;
    let took = warning.await??;
    table.note("registrations that failed beside warnings about one person", &failed.to_string());
    table.beside(
        &format!(
            "RegisterHousehold beside {WARNINGS} warnings about one person, sent in {:.1} s (bare: without)",
            took.as_secs_f64()
        ),
        beside,
        quiet,
    );
    Ok(())
}

/// The times of registrations that were answered, and how many were not.
async fn registrations(clients: &Clients, first: usize, is_over: impl Fn() -> bool) -> anyhow::Result<(Round, usize)> {
    let (began, mut times, mut failed) = (Instant::now(), Vec::new(), 0);
    for place in first..first + CALLS {
        let registered = Instant::now();
        match register(clients, place).await {
            Ok(()) => times.push(registered.elapsed()),
            Err(_) => failed += 1,
        }
        if is_over() {
            break;
        }
    }
    ensure!(!times.is_empty(), "none of {failed} registrations was answered");
    Ok((Round::of(times, began.elapsed()), failed))
}

async fn register(clients: &Clients, place: usize) -> anyhow::Result<()> {
    let household = tongxin_proto::monitoring::v1::HouseholdDraft {
        region_code: VILLAGE.to_owned(),
        ..people::household(place, usize::MAX / 1_000_000)
    };
    let request = RegisterHouseholdRequest { request_id: request_id(), household: Some(household) };
    clients.households()?.register_household(request).await?;
    Ok(())
}

/// One message of warnings about the first member of a household by its place, with their numbers as references.
async fn warn(clients: &Clients, person: usize, numbers: std::ops::RangeInclusive<usize>) -> anyhow::Result<()> {
    let count = i64::try_from(numbers.clone().count())?;
    let row = |number: usize| Warning {
        id_number: people::id_number(person, usize::MAX / 1_000_000),
        cause: Risk::Illness.into(),
        occurred_on: Some(Date { year: 2026, month: 1, day: 5 }),
        reference: format!("{person}-{number}"),
        region_code: String::new(),
    };
    let options = WarningOptions { request_id: request_id(), department: Department::MedicalInsurance.into() };
    let parts = [Part::Options(options), Part::Rows(WarningRows { rows: numbers.map(row).collect() })];
    let requests = parts.map(|part| SubmitWarningsRequest { part: Some(part) });
    let answer = clients.signals()?.submit_warnings(stream::iter(requests)).await.context("warnings")?.into_inner();
    ensure!(answer.received == count, "{:?}", answer.errors.first());
    Ok(())
}
