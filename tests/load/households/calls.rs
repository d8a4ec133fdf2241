//! Single calls on one household of many.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::ensure;
use futures::{FutureExt as _, future::BoxFuture};
use prost::{Message, Name};
use sqlx::PgPool;
use tongxin_platform::clock::Clock;
use tongxin_proto::monitoring::v1::{
    FindHouseholdsRequest, HouseholdsLookedUp, LookUpKey, RecordObservationRequest,
    household_service_client::HouseholdServiceClient,
};
use tongxin_tests::{Clients, Connection, entries::request_id, statements};
use uuid::Uuid;

use super::{month_end, people};
use crate::{
    rounds::{ROUNDS, Round, Table, paced, round},
    world::{World, county},
};

/// What a look-up comes to without a service around it.
const READ: &str = "SELECT * FROM household WHERE household_id = $1";

/// Households that the bare statements go to.
#[derive(Clone)]
struct Bare {
    pool: PgPool,
    ids: Arc<Vec<Uuid>>,
}

impl Bare {
    async fn of(pool: &PgPool) -> anyhow::Result<Self> {
        let some = "SELECT household_id FROM household TABLESAMPLE SYSTEM (1) LIMIT 10000";
        let ids = sqlx::query_scalar(some).fetch_all(pool).await?;
        Ok(Self { pool: pool.clone(), ids: Arc::new(ids) })
    }

    /// A statement on one household, by its primary key, from each client time after time.
    async fn round(&self, clients: usize, calls: usize, statement: &'static str) -> anyhow::Result<Round> {
        let bare = self.clone();
        round(clients, calls, move |own, number| {
            let (pool, id) = (bare.pool.clone(), bare.ids[(own * 101 + number) % bare.ids.len()]);
            async move {
                sqlx::query(statement).bind(id).execute(&pool).await?;
                Ok(())
            }
        })
        .await
    }

    /// Reads of one household by its primary key, each with an event that somebody looked, in one transaction.
    async fn look_ups(&self, clients: usize, calls: usize) -> anyhow::Result<Round> {
        let bare = self.clone();
        let append = statements::APPEND.read()?;
        round(clients, calls, move |own, number| {
            let (pool, id) = (bare.pool.clone(), bare.ids[(own * 101 + number) % bare.ids.len()]);
            async move { look_up(&pool, append, id).await }
        })
        .await
    }
}

async fn look_up(pool: &PgPool, append: &'static str, household: Uuid) -> anyhow::Result<()> {
    let clock = Clock::system();
    let looked_up =
        HouseholdsLookedUp { key: LookUpKey::IdNumber.into(), region_code: "440000000000".to_owned(), found: 1 };
    let mut tx = pool
        .begin_with(
            "BEGIN; SET LOCAL tongxin.region_from = 440000000000; SET LOCAL tongxin.region_until = 450000000000",
        )
        .await?;
    sqlx::query(READ).bind(household).fetch_all(&mut *tx).await?;
    sqlx::query(append)
        .bind([Uuid::now_v7()].as_slice())
        .bind([HouseholdsLookedUp::full_name()].as_slice())
        .bind(["look_up"].as_slice())
        .bind([Uuid::now_v7().to_string()].as_slice())
        .bind([440_000_000_000_i64].as_slice())
        .bind([clock.today()].as_slice())
        .bind([looked_up.encode_to_vec()].as_slice())
        .bind(clock.now())
        .bind("bare")
        .bind("")
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

pub async fn measure(
    world: &World,
    folder: &Path,
    pool: &PgPool,
    count: usize,
    table: &mut Table,
) -> anyhow::Result<()> {
    let bare = Bare::of(pool).await?;
    rechecks(world, &bare, count, table).await?;
    finds(world, folder, &bare, count, table).await
}

/// Each call records an observation and checks its household by all rules.
async fn rechecks(world: &World, bare: &Bare, count: usize, table: &mut Table) -> anyhow::Result<()> {
    const CALLS: usize = 2_000;
    let window = month_end(1);
    for clients in [1, 16] {
        let (mut here, mut updates) = (Vec::new(), Vec::new());
        for turn in 0..ROUNDS {
            let client = world.clients.observations()?;
            let recorded = round(clients, CALLS / clients, move |own, number| {
                let mut client = client.clone();
                let place = ((turn * clients + own) * CALLS + number) * 7_919 % count;
                async move {
                    let observation = Some(people::observation(place, window));
                    client
                        .record_observation(RecordObservationRequest { request_id: request_id(), observation })
                        .await?;
                    Ok(())
                }
            });
            here.push(recorded.await?);
            let update = "UPDATE household SET version = version WHERE household_id = $1";
            updates.push(bare.round(clients, CALLS / clients, update).await?);
        }
        table.beside(
            &format!("RecordObservation with the re-check of the household, {clients} clients (bare: an update of one row by primary key)"),
            Round::median(here),
            Round::median(updates),
        );
    }
    Ok(())
}

/// Each call is a look-up of another person, by somebody who did not look anybody up before this round: subjects have a
/// limit.
async fn finds(world: &World, folder: &Path, bare: &Bare, count: usize, table: &mut Table) -> anyhow::Result<()> {
    const CALLS: usize = 100;
    let persons = count * people::MEMBERS;
    let by_number = move |person| FindHouseholdsRequest {
        id_number: people::id_number(person % persons, count),
        ..FindHouseholdsRequest::default()
    };
    let by_name = move |person| FindHouseholdsRequest {
        name: people::name(person % persons),
        region_code: county(&people::village_of(person % persons / people::MEMBERS, count)),
        ..FindHouseholdsRequest::default()
    };
    let (mut numbers, mut paced_numbers, mut names) = (Vec::new(), Vec::new(), Vec::new());
    let (mut events_of_64, mut reads_of_16) = (Vec::new(), Vec::new());
    for turn in 0..ROUNDS {
        let somebody = |kind: &str, clients: usize| strangers(world, folder, &format!("{kind}-{turn}"), clients);
        numbers.push(round(64, CALLS, finder(somebody("at-once", 64)?, by_number)).await?);
        events_of_64.push(bare.look_ups(64, CALLS).await?);
        let paced_round = paced(64, 100, Duration::from_millis(100), finder(somebody("paced", 64)?, by_number));
        paced_numbers.push(paced_round.await?);
        names.push(round(16, CALLS, finder(somebody("names", 16)?, by_name)).await?);
        reads_of_16.push(bare.round(16, CALLS, READ).await?);
    }
    table.beside(
        "FindHouseholds by ID number, 64 clients, each at once again (bare: a read by primary key and one event)",
        Round::median(numbers),
        Round::median(events_of_64),
    );
    table.latency("the same, each client 10 times a second", Round::median(paced_numbers));
    table.beside(
        "FindHouseholds by full name in a county, 16 clients (bare: a read by primary key)",
        Round::median(names),
        Round::median(reads_of_16),
    );
    Ok(())
}

/// Clients on one connection, each with a token of its own.
fn strangers(
    world: &World,
    folder: &Path,
    named: &str,
    count: usize,
) -> anyhow::Result<Vec<HouseholdServiceClient<Connection>>> {
    let clock = Clock::system();
    let stranger = |number: usize| {
        let subject = format!("{named}-{number}");
        Clients::signed_for(&world.instance.gateway, folder, (&subject, "hq", "440000000000"), &clock)
    };
    Clients::households_on_one(&(0..count).map(stranger).collect::<anyhow::Result<Vec<_>>>()?)
}

/// Looks up the person of a client's call, another one each time.
fn finder<Asked>(
    clients: Vec<HouseholdServiceClient<Connection>>,
    ask: Asked,
) -> impl Fn(usize, usize) -> BoxFuture<'static, anyhow::Result<()>> + Clone + Send + use<Asked>
where
    Asked: Fn(usize) -> FindHouseholdsRequest + Clone + Send + 'static,
{
    move |own: usize, number: usize| {
        let (mut client, request) = (clients[own].clone(), ask((own * 6_400 + number) * 7_919));
        async move {
            let found = client.find_households(request).await?.into_inner();
            ensure!(!found.households.is_empty(), "nobody was found");
            Ok(())
        }
        .boxed()
    }
}
