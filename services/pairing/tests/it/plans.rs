//! Lists read about a page, however much there is: their plans, on some 100,000 rows of each kind.
//!
//! Looks at the rows that a plan reads, not at the time that it takes. Plans are the generic ones, which a connection
//! falls back to once it has seen a statement some times.

use std::{fs, path::Path};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::support::TestApp;

/// Rows of a page, and the one more that tells whether there is another.
const PAGE: f64 = 51.0;

const FILL: &str = "
    INSERT INTO organisation (organisation_id, name, kind, side, host_kind, region_code, version)
    SELECT md5('o' || n)::uuid, 'n', CASE WHEN n % 1000 = 0 THEN 'hospital' WHEN n % 3 = 0 THEN 'enterprise' ELSE 'school' END,
           CASE WHEN n % 2 = 0 THEN 'supporter' ELSE 'recipient' END, NULL,
           440000000000 + (n % 21 + 1) * 100000000 + (n % 7 + 1) * 1000000 + (n % 100) * 1000 + n % 17, 1
    FROM generate_series(1, 100000) AS n;

    -- Every second pairing is of one supporter and of no place in particular.
    INSERT INTO pairing (pairing_id, kind, supporter_id, supporter_name, recipient_id, recipient_name, region_code,
                         agreement_number, starts_on, ends_on, end_reason, version)
    SELECT md5('p' || n)::uuid, CASE WHEN n % 1000 = 0 THEN 'hospital' ELSE 'school' END,
           md5('o' || CASE WHEN n % 2 = 0 THEN 2 ELSE n + 1 END)::uuid, 'n', md5('o' || (n / 2) * 2 + 1)::uuid, 'n',
           440000000000 + (n % 21 + 1) * 100000000 + (n % 7 + 1) * 1000000 + (n % 100) * 1000 + n % 17,
           '', '2024-01-01', NULL, '', 1
    FROM generate_series(1, 99999) AS n;

    INSERT INTO activity (activity_id, pairing_id, kind, held_on, participants, remark, region_code)
    SELECT md5('a' || n)::uuid, md5('p' || CASE WHEN n % 2 = 0 THEN 1 ELSE n END)::uuid, 'visit', '2025-01-01', 1, '',
           441804100000
    FROM generate_series(1, 99999) AS n;

    INSERT INTO region (region_code, name, level, parent_code, valid_from, edition)
    SELECT 441823300000 + n, 'n', 'village', CASE WHEN n % 2 = 0 THEN 441823107000 ELSE 441823000000 END, '2021-01-01',
           md5('e')::uuid
    FROM generate_series(1, 100000) AS n;

    INSERT INTO assistance (region_code, level, from_date)
    SELECT region_code, 'village', '2021-01-01' FROM region WHERE edition = md5('e')::uuid;

    ANALYZE;
";

/// The statement of a query as the service prepares it.
fn statement(of: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let queries = fs::read_dir(folder).unwrap().map(|entry| {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["query"].as_str().unwrap().to_owned()
    });
    let found: Vec<_> = queries.filter(|query| query.contains(of)).collect();
    assert_eq!(found.len(), 1, "queries that contain {of:?}: {found:#?}");
    found.into_iter().next().unwrap()
}

/// How many rows the plan of a query reads from tables, for a caller of Qingyuan City.
async fn rows_read(conn: &mut PgConnection, of: &str, values: &str) -> f64 {
    let mut tx = conn.begin().await.unwrap();
    let prepare = format!("PREPARE list AS {}", statement(of));
    let scope = "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL random_page_cost = 1.1;
        SET LOCAL tongxin.region_from = 441800000000; SET LOCAL tongxin.region_until = 441900000000";
    tx.execute(scope).await.unwrap();
    tx.execute(AssertSqlSafe(prepare)).await.unwrap();
    let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE list({values})");
    let plan: Value = sqlx::query_scalar(AssertSqlSafe(explain)).fetch_one(&mut *tx).await.unwrap();
    tx.execute("DEALLOCATE list").await.unwrap();
    tx.rollback().await.unwrap();
    let mut read = 0.0;
    add_up(&plan[0]["Plan"], &mut read);
    assert!(read > 0.0, "the plan reads nothing: {plan:#}");
    println!("{of}({values}): {read} rows\n{plan:#}");
    read
}

fn add_up(node: &Value, read: &mut f64) {
    let number = |name: &str| node[name].as_f64().unwrap_or_default();
    if node["Relation Name"].is_string() {
        let rows = number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
        *read += rows * number("Actual Loops");
    }
    node["Plans"].as_array().into_iter().flatten().for_each(|inner| add_up(inner, read));
}

const COUNTY: &str = "441804000000, 441805000000";
const FIRST: &str = "0, '00000000-0000-0000-0000-000000000000'";
const MIDDLE: &str = "441804050000, '80000000-0000-0000-0000-000000000000'";

#[tokio::test]
async fn a_list_reads_a_page_and_not_the_table() {
    let app = TestApp::with_register().await;
    app.owner.execute(FILL).await.unwrap();
    let mut conn = PgConnection::connect(&app.database.app_url).await.unwrap();

    let organisations = "AS wanted (wanted_side, wanted_kind, from_code, until_code)";
    let supporters = format!("'{{supporter}}', '{{school}}', '{{0}}', '{{1000000000000}}', {FIRST}, 51");
    assert!(rows_read(&mut conn, organisations, &supporters).await <= PAGE);
    let hospitals = format!("'{{supporter}}', '{{hospital}}', '{{0}}', '{{1000000000000}}', {FIRST}, 51");
    assert!(rows_read(&mut conn, organisations, &hospitals).await <= PAGE);
    let of_county = "'{supporter,recipient}', '{school,school}', '{0,441804000000}', '{1000000000000,441805000000}'";
    for after in [FIRST, MIDDLE] {
        assert!(rows_read(&mut conn, organisations, &format!("{of_county}, {after}, 51")).await <= 2.0 * PAGE);
    }

    let pairings = "AS wanted (wanted_kind)";
    for after in [FIRST, MIDDLE] {
        let all = format!("'{{party,school,hospital,enterprise}}', {COUNTY}, {after}, NULL, false, 51");
        assert!(rows_read(&mut conn, pairings, &all).await <= 4.0 * PAGE);
    }
    let in_force = format!("'{{school}}', {COUNTY}, {FIRST}, '2025-06-30', false, 51");
    assert!(rows_read(&mut conn, pairings, &in_force).await <= PAGE);

    let of_one = "WHERE recipient_id = $1";
    for after in [FIRST, MIDDLE] {
        let of_busy = format!("md5('o2')::uuid, {COUNTY}, {after}, '{{school,hospital}}', NULL, false, 51");
        assert!(rows_read(&mut conn, of_one, &of_busy).await <= PAGE);
    }

    let activities = "WHERE pairing_id = $1 AND activity_id > $3";
    let of_busy = "md5('p1')::uuid, false, '00000000-0000-0000-0000-000000000000', 51";
    assert!(rows_read(&mut conn, activities, of_busy).await <= PAGE);
    let regions = "WHERE (parent_code, region.region_code) > ($1, $2)";
    assert!(rows_read(&mut conn, regions, "441823107000, 441823350000, 51").await <= 2.0 * PAGE);
}
