//! Single calls on one household of many.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use futures::{FutureExt as _, future::BoxFuture};
use sqlx::PgPool;
use tongxin_proto::monitoring::v1::{FindHouseholdsRequest, RecordObservationRequest};
use tongxin_tests::entries::request_id;
use uuid::Uuid;

use super::{month_end, people};
use crate::{
    rounds::{ROUNDS, Round, Table, paced, round},
    world::{World, county},
};

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
}

pub async fn measure(world: &World, pool: &PgPool, count: usize, table: &mut Table) -> anyhow::Result<()> {
    let bare = Bare::of(pool).await?;
    rechecks(world, &bare, count, table).await?;
    finds(world, &bare, count, table).await
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

async fn finds(world: &World, bare: &Bare, count: usize, table: &mut Table) -> anyhow::Result<()> {
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
    let (mut reads_of_64, mut reads_of_16) = (Vec::new(), Vec::new());
    let read = "SELECT * FROM household WHERE household_id = $1";
    for _ in 0..ROUNDS {
        numbers.push(round(64, CALLS, finder(world, by_number)?).await?);
        reads_of_64.push(bare.round(64, CALLS, read).await?);
        paced_numbers.push(paced(64, 100, Duration::from_millis(100), finder(world, by_number)?).await?);
        names.push(round(16, CALLS, finder(world, by_name)?).await?);
        reads_of_16.push(bare.round(16, CALLS, read).await?);
    }
    table.beside(
        "FindHouseholds by ID number, 64 clients, each at once again (bare: a read by primary key)",
        Round::median(numbers),
        Round::median(reads_of_64),
    );
    table.latency("the same, each client 10 times a second", Round::median(paced_numbers));
    table.beside(
        "FindHouseholds by full name in a county, 16 clients (bare: a read by primary key)",
        Round::median(names),
        Round::median(reads_of_16),
    );
    Ok(())
}

/// Looks up the person of a client's call, another one each time.
fn finder<Asked>(
    world: &World,
    ask: Asked,
) -> anyhow::Result<impl Fn(usize, usize) -> BoxFuture<'static, anyhow::Result<()>> + Clone + Send + use<Asked>>
where
    Asked: Fn(usize) -> FindHouseholdsRequest + Clone + Send + 'static,
{
    let client = world.clients.households()?;
    Ok(move |own: usize, number: usize| {
        let (mut client, request) = (client.clone(), ask((own * 6_400 + number) * 7_919));
        async move {
            let found = client.find_households(request).await?.into_inner();
            ensure!(!found.households.is_empty(), "nobody was found");
            Ok(())
        }
        .boxed()
    })
}
