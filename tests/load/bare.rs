//! What `EstablishPairing` says to Postgres, without a service around it: the statements that the services were
//! compiled with, over as many connections, with the session's settings of theirs.

use std::sync::Arc;

use anyhow::Context as _;
use chrono::NaiveDate;
use prost::{Message, Name};
use sqlx::{
    PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tongxin_platform::clock::Clock;
use tongxin_proto::pairing::v1::{
    OrganisationPairedChanged, OrganisationSide, PairedChange, PairingEstablished, PairingKind,
};
use tongxin_tests::statements::ESTABLISH_PAIRING;
use uuid::Uuid;

use super::{
    rounds::{Round, round},
    world::World,
    writes::Pair,
};

/// As many as a service opens unless it is told otherwise.
const CONNECTIONS: u32 = 16;

const BEGIN: &str =
    "BEGIN; SET LOCAL tongxin.region_from = 440000000000; SET LOCAL tongxin.region_until = 450000000000";
const EVERYWHERE: &str = "SET LOCAL tongxin.region_from = 0; SET LOCAL tongxin.region_until = 1000000000000";

/// Connections to pairing's database as the service has them.
#[derive(Clone)]
pub struct Bare {
    pool: PgPool,
    /// In the order in which they are said.
    statements: [&'static str; 10],
}

impl Bare {
    pub async fn of(world: &World) -> anyhow::Result<Self> {
        let options: PgConnectOptions = world.instance.databases["pairing"].parse()?;
        let options = options.options([("plan_cache_mode", "force_generic_plan"), ("random_page_cost", "1.1")]);
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false).connect_with(options);
        Ok(Self { pool: pool.await?, statements: statements()? })
    }

    pub async fn establish(&self, clients: usize, pairs: Arc<Vec<Pair>>) -> anyhow::Result<Round> {
        let each = pairs.len() / clients;
        let bare = self.clone();
        round(clients, each, move |client, number| {
            let (bare, pairs) = (bare.clone(), Arc::clone(&pairs));
            async move { bare.transaction(&pairs[client * each + number]).await }
        })
        .await
    }

    async fn transaction(&self, pair: &Pair) -> anyhow::Result<()> {
        let [
            find_answer,
            lock_organisations,
            find_organisations,
            lock_regions,
            coverage_rules,
            load_book,
            load_assistance,
            add_pairing,
            append,
            keep_answer,
        ] = self.statements;
        let (supporter, recipient): (Uuid, Uuid) = (pair.supporter.parse()?, pair.recipient.parse()?);
        let both = [supporter, recipient];
        let region = pair.village.parse::<i64>()?;
        let (request, pairing) = (Uuid::now_v7(), Uuid::now_v7());
        let starts_on = NaiveDate::from_ymd_opt(2026, 6, 1).context("no such day")?;
        let mut tx = self.pool.begin_with(BEGIN).await?;

        sqlx::query(find_answer).bind(request).bind("bare").bind(0_i32).fetch_all(&mut *tx).await?;
        let key = |id: Uuid| i32::try_from(id.as_u64_pair().1 % 2048);
        let mut keys = [key(supporter)?, key(recipient)?];
        keys.sort_unstable();
        sqlx::query(lock_organisations).bind(1_i32).bind(keys.as_slice()).execute(&mut *tx).await?;
        sqlx::query(find_organisations).bind(both.as_slice()).fetch_all(&mut *tx).await?;
        let key = [i32::try_from(region % 1024)?];
        sqlx::query(lock_regions).bind(3_i32).bind(2_i32).bind(key.as_slice()).execute(&mut *tx).await?;
        sqlx::query(coverage_rules).fetch_optional(&mut *tx).await?;
        sqlx::raw_sql(EVERYWHERE).execute(&mut *tx).await?;
        let kinds = ["party", "school", "hospital", "enterprise"];
        let load = sqlx::query(load_book).bind(both.as_slice()).bind([region].as_slice()).bind(kinds.as_slice());
        load.fetch_all(&mut *tx).await?;
        sqlx::query(load_assistance).bind([region].as_slice()).fetch_all(&mut *tx).await?;
        sqlx::query(add_pairing)
            .bind([pairing].as_slice())
            .bind(["party"].as_slice())
            .bind([supporter].as_slice())
            .bind(["支持单位党支部"].as_slice())
            .bind([Some("government")].as_slice())
            .bind([recipient].as_slice())
            .bind(["村党支部"].as_slice())
            .bind([region].as_slice())
            .bind([""].as_slice())
            .bind([starts_on].as_slice())
            .bind([None::<NaiveDate>].as_slice())
            .execute(&mut *tx)
            .await?;
        self::append(&mut tx, append, (pairing, pair, starts_on)).await?;
        sqlx::query(keep_answer)
            .bind("bare")
            .bind(request)
            .bind(0_i32)
            .bind(1_i64)
            .bind([0_u8; 32].as_slice())
            .bind([0_u8; 250].as_slice())
            .bind(region)
            .bind(Clock::system().now())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The events of a pairing in a village that is covered already; the relay numbers and publishes them, too.
async fn append(
    conn: &mut PgConnection,
    statement: &'static str,
    (pairing, pair, starts_on): (Uuid, &Pair, NaiveDate),
) -> anyhow::Result<()> {
    let kind = PairingKind::Party.into();
    let established = PairingEstablished {
        pairing_id: pairing.to_string(),
        kind,
        supporter_id: pair.supporter.clone(),
        recipient_id: pair.recipient.clone(),
        region_code: pair.village.clone(),
        starts_on: Some(starts_on.into()),
        ends_on: None,
    };
    let paired = |organisation: &str, side: OrganisationSide| OrganisationPairedChanged {
        organisation_id: organisation.to_owned(),
        side: side.into(),
        pairing_kind: kind,
        changes: vec![PairedChange {
            region_code: pair.village.clone(),
            occurred_on: Some(starts_on.into()),
            change: 1,
        }],
    };
    let payloads = [
        established.encode_to_vec(),
        paired(&pair.supporter, OrganisationSide::Supporter).encode_to_vec(),
        paired(&pair.recipient, OrganisationSide::Recipient).encode_to_vec(),
    ];
    let changed = OrganisationPairedChanged::full_name();
    sqlx::query(statement)
        .bind(payloads.each_ref().map(|_| Uuid::now_v7()).as_slice())
        .bind([PairingEstablished::full_name(), changed.clone(), changed].as_slice())
        .bind(payloads.each_ref().map(|_| "pairing").as_slice())
        .bind(payloads.each_ref().map(|_| pairing.to_string()).as_slice())
        .bind([pair.village.parse::<i64>()?; 3].as_slice())
        .bind([starts_on; 3].as_slice())
        .bind(payloads.as_slice())
        .bind(Clock::system().now())
        .bind("bare")
        .bind("")
        .execute(conn)
        .await?;
    Ok(())
}

fn statements() -> anyhow::Result<[&'static str; 10]> {
    let mut read = [""; 10];
    for (statement, read) in ESTABLISH_PAIRING.into_iter().zip(&mut read) {
        *read = statement.read()?;
    }
    Ok(read)
}
