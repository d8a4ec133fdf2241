//! How fast a million households are screened. By hand, on the release build:
//!
//! `cargo test --release -p tongxin-monitoring --test it million -- --ignored --nocapture`

use std::{
    fs,
    time::{Duration, Instant},
};

use tongxin_proto::monitoring::v1::{self, Risk};

use crate::{
    made::{observation, record, rule, rule_set, store},
    support::{PROVINCE, TestApp, VILLAGE, new_request_id},
};

const RULES: [(Risk, &str, &str); 12] = [
    (Risk::Other, "per_capita_net_income < line", "per_capita_net_income < 700000"),
    (
        Risk::Illness,
        "3 * out_of_pocket > 2 * net_income && seriously_ill > 0",
        "3 * out_of_pocket > 2 * net_income AND seriously_ill > 0",
    ),
    (
        Risk::UnstableEmployment,
        "has_previous && 10 * per_capita_net_income < 4 * previous_per_capita_net_income",
        "10 * per_capita_net_income < 4 * previous_per_capita_net_income",
    ),
    (Risk::Schooling, "children_out_of_school > 0", "children_out_of_school > 0"),
    (Risk::Housing, "housing_grade in ['C', 'D']", "housing_grade IN ('C', 'D')"),
    (Risk::Water, "!water_safe", "NOT water_safe"),
    (
        Risk::Illness,
        "uninsured > 0 && seriously_ill + chronically_ill > 0",
        "uninsured > 0 AND seriously_ill + chronically_ill > 0",
    ),
    (Risk::LackOfLabour, "labourers == 0 && support == 'none'", "labourers = 0 AND support = 'none'"),
    (
        Risk::NaturalDisaster,
        "'natural_disaster' in shocks && 5 * loss > net_income",
        "shocks & 8 <> 0 AND 5 * loss > net_income",
    ),
    (
        Risk::Accident,
        "'accident' in shocks && loss > insurance_received",
        "shocks & 16 <> 0 AND loss > insurance_received",
    ),
    (
        Risk::UnstableEmployment,
        "workers == 0 && wages == 0 && labourers > 0",
        "workers = 0 AND wages = 0 AND labourers > 0",
    ),
    (
        Risk::BusinessFailure,
        "business_expense > 2 * business && business > 0",
        "business_expense > 2 * business AND business > 0",
    ),
];

/// Households of 300 villages in 24 towns, nearly all of them well off.
const HOUSEHOLDS: &str = "
INSERT INTO household (household_id, region_code, lifted_from_poverty, support, data_key, sealed_contact, registered_on,
                       register_time, version)
SELECT gen_random_uuid(), 441823100200 + number * 24 / 1000000 * 1000 + number % 12, true, 'none', '', '', '2021-01-01', now(), 1
FROM generate_series(0, 999999) AS number";

const PROFILES: &str = "
INSERT INTO profile
SELECT household_id, region_code, 4, 2, 1, (random() < 0.0005)::int, 1, 0, (random() < 0.05)::int, (random() < 0.1)::int, 2,
       (random() < 0.005)::int, lifted_from_poverty, support, false, '2025-05-31', 6000000 * (0.5 + random()), 300000, 0,
       100000, 50000, 100000 * random(), 0, 6000000, CASE WHEN random() < 0.003 THEN 500000 ELSE 1500000 END, 1400000, 0,
       true, true, CASE WHEN random() < 0.002 THEN 'C' ELSE 'A' END, random() > 0.002, 0
FROM household";

async fn screen(app: &TestApp) -> v1::ScreeningCount {
    let request = v1::ScreenHouseholdsRequest { request_id: new_request_id(), region_code: PROVINCE.to_owned() };
    let mut answers = app.hq().rules.screen_households(request).await.unwrap().into_inner();
    let mut last = v1::ScreeningCount::default();
    while let Some(answer) = answers.message().await.unwrap() {
        last = answer.count.unwrap();
    }
    last
}

/// Most memory that the process has held, and what it holds, in MiB.
fn memory() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let read = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    };
    (read("VmHWM"), read("VmRSS"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes, and its numbers are for people"]
async fn a_million_households() {
    let app = TestApp::start().await;
    for statement in [HOUSEHOLDS, PROFILES, "VACUUM ANALYZE household", "VACUUM ANALYZE profile"] {
        sqlx::query(statement).execute(&app.owner).await.unwrap();
    }
    let mut draft = rule_set(PROVINCE);
    draft.rules = (1..).zip(RULES).map(|(number, (cause, expression, _))| rule(number, cause, expression)).collect();
    store(&mut app.hq(), draft).await.unwrap();

    let bare = RULES.map(|(.., sql)| format!("({sql})")).join(" OR ");
    let bare = format!("SELECT count(*) FROM profile WHERE {bare}");
    for _ in 0..2 {
        let start = Instant::now();
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(bare.clone())).fetch_one(&app.owner).await.unwrap();
        println!("bare sequential scan: {:?}, {found} households", start.elapsed());
    }
    println!("memory before (most, now): {:?} MiB", memory());
    for round in 1..=3 {
        let start = Instant::now();
        let count = screen(&app).await;
        println!(
            "screening {round}: {:?}, {} households, {} flagged, {} new signals",
            start.elapsed(),
            count.households,
            count.flagged,
            count.signals
        );
        println!("memory after (most, now): {:?} MiB", memory());
    }

    let household: Vec<String> =
        sqlx::query_scalar("SELECT household_id::text FROM household LIMIT 1000").fetch_all(&app.owner).await.unwrap();
    let mut clients = app.hq();
    let mut took: Vec<Duration> = Vec::new();
    for id in &household {
        let start = Instant::now();
        record(&mut clients, observation(id)).await.unwrap();
        took.push(start.elapsed());
    }
    took.sort();
    println!("recording and screening one: p50 {:?}, p99 {:?} ({VILLAGE} ...)", took[500], took[990]);
}
