//! Roll-ups are the sums of facts, whatever the facts.

use std::collections::HashSet;

use chrono::{Days, NaiveDate};
use proptest::{prelude::*, test_runner::TestRunner};
use sqlx::PgPool;
use tongxin_gateway::{
    Fact,
    indicators::CATALOGUE,
    store::{facts, rollups},
};
use tongxin_platform::{
    db::{self, DbConfig, Scope},
    region::RegionCode,
    testing::Database,
};
use uuid::Uuid;

/// Villages, a town directly below a city, and regions of every level.
const REGIONS: [i64; 8] = [
    441_823_107_201,
    441_823_107_202,
    441_825_104_201,
    441_900_003_001,
    441_823_107_000,
    441_823_000_000,
    441_800_000_000,
    440_000_000_000,
];

fn a_fact() -> impl Strategy<Value = Fact> {
    let counted: Vec<_> = CATALOGUE.iter().copied().filter(|indicator| indicator.has_facts()).collect();
    let region = prop::sample::select(REGIONS.to_vec());
    (prop::sample::select(counted), region, 0_u64..800, prop_oneof![Just(1_i64), Just(-1)]).prop_map(
        |(indicator, region, day, amount)| Fact {
            indicator,
            region: RegionCode::from_number(region).unwrap(),
            occurred_on: NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + Days::new(day),
            amount,
            subject: region.to_string(),
            source: "pairing",
            epoch: 1,
            seq: 0,
            position: 0,
            event_id: Uuid::nil(),
        },
    )
}

fn batches() -> impl Strategy<Value = Vec<Vec<Fact>>> {
    prop::collection::vec(prop::collection::vec(a_fact(), 1..60), 1..5)
}

#[test]
fn roll_ups_equal_the_sums_of_random_facts() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pool = runtime.block_on(async {
        let database = Database::migrated(&tongxin_gateway::KIND.migrations()).await;
        db::connect(&DbConfig::at(&database.app_url)).await.unwrap()
    });
    let mut runner = TestRunner::new(ProptestConfig::with_cases(40));
    runner.run(&batches(), |batches| runtime.block_on(check(&pool, batches))).unwrap();
}

async fn check(pool: &PgPool, batches: Vec<Vec<Fact>>) -> Result<(), TestCaseError> {
    let mut tx = Scope::EVERYWHERE.write(pool).await.unwrap();
    let mut seq = 0;
    for mut batch in batches.clone() {
        for fact in &mut batch {
            seq += 1;
            fact.seq = seq;
            if seq % 3 == 0 {
                fact.source = "another";
            }
        }
        facts::record(&mut tx, &batch).await.unwrap();
    }
    prop_assert_eq!(rollups::drift(&mut tx).await.unwrap(), []);

    let all: Vec<&Fact> = batches.iter().flatten().collect();
    for region in REGIONS {
        let expected: i64 = all.iter().filter(|fact| counts_in(fact, region)).map(|fact| fact.amount).sum();
        for table in ["rollup_day", "rollup_month"] {
            prop_assert_eq!(total(&mut tx, table, region).await, expected, "{} of {}", table, region);
        }
    }

    facts::forget(&mut tx, "another").await.unwrap();
    prop_assert_eq!(rollups::drift(&mut tx).await.unwrap(), []);
    facts::forget(&mut tx, "pairing").await.unwrap();
    let left: HashSet<i64> =
        sqlx::query_scalar("SELECT region_code FROM rollup_day UNION SELECT region_code FROM fact")
            .fetch_all(&mut *tx)
            .await
            .unwrap()
            .into_iter()
            .collect();
    prop_assert_eq!(left, HashSet::new());
    Ok(())
}

fn counts_in(fact: &Fact, region: i64) -> bool {
    let below = RegionCode::from_number(region).unwrap().contains(fact.region);
    if fact.indicator.adds_up { below } else { fact.region.number() == region }
}

async fn total(conn: &mut sqlx::PgConnection, table: &str, region: i64) -> i64 {
    let statement = format!("SELECT coalesce(sum(amount), 0)::bigint FROM {table} WHERE region_code = $1");
    sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).bind(region).fetch_one(conn).await.unwrap()
}

#[tokio::test]
async fn every_table_with_a_region_is_guarded() {
    Database::migrated(&tongxin_gateway::KIND.migrations()).await.assert_regions_are_guarded().await;
}
