//! Without a valid region a transaction sees nothing, however the region is missing.

use sqlx::{AssertSqlSafe, Executor as _, PgConnection, error::DatabaseError};

use super::*;
use crate::support::{COUNTY, ELSEWHERE, VILLAGE, event, region};
use tongxin_platform::db::Scope;

/// Values of the setting that are no region.
const NO_REGION: [&str; 8] = ["", " ", "%", "_", "4418%", "'' OR true", "-1", "99999999999999"];

/// Every table with a region, including those that this test does not know.
async fn tables(owner: &mut PgConnection) -> Vec<String> {
    let tables = "
        SELECT format('%I.%I', nspname, relname)
        FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE attname = 'region_code' AND NOT attisdropped AND relkind IN ('r', 'p', 'f')
            AND nspname NOT IN ('pg_catalog', 'information_schema')
        ORDER BY 1";
    sqlx::query_scalar(tables).fetch_all(owner).await.unwrap()
}

async fn rows(conn: &mut PgConnection, table: &str) -> i64 {
    let question = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar(AssertSqlSafe(question)).fetch_one(conn).await.unwrap()
}

/// A database with a row of two counties each in every table.
async fn filled() -> (Database, Vec<String>) {
    let database = database().await;
    let mut owner = owner(&database).await;
    for (tally_id, place) in [("here", VILLAGE), ("there", ELSEWHERE)] {
        let number = region(place).number();
        let insert = format!(
            "
            INSERT INTO tally (tally_id, region_code, reached) VALUES ('{tally_id}', {number}, 1);
            INSERT INTO region (region_code, name, level, valid_from) VALUES ({number}, 'n', 'village', now());
            INSERT INTO event (event_id, event_type, aggregate_type, aggregate_id, version, region_code,
                               occurred_on, record_time, actor, trace_parent, payload)
            VALUES (gen_random_uuid(), 't', 'tally', '{tally_id}', 1, {number}, now(), now(), 'a', '', '')"
        );
        owner.execute(AssertSqlSafe(insert)).await.unwrap();
    }
    let tables = tables(&mut owner).await;
    for table in &tables {
        assert_eq!(rows(&mut owner, table).await, 2, "{table} needs its two rows for this test");
    }
    (database, tables)
}

#[tokio::test]
async fn no_region_means_no_row() {
    let (database, tables) = filled().await;
    let pool = connect(&DbConfig { max_connections: 1, ..DbConfig::at(&database.app_url) }).await.unwrap();
    assert!(tables.len() >= 2, "{tables:?}");
    for table in &tables {
        let mut conn = pool.acquire().await.unwrap();
        assert_eq!(rows(&mut conn, table).await, 0, "{table} with the region unset");
    }
    // Now the connection has had a region.
    Scope::region(region(COUNTY)).read(&pool).await.unwrap().commit().await.unwrap();
    let mut conn = pool.acquire().await.unwrap();
    for table in &tables {
        assert_eq!(rows(&mut conn, table).await, 0, "{table} after the pool reused the connection");
        for from in NO_REGION {
            for until in NO_REGION.into_iter().chain(["1000000000000"]) {
                set(&mut conn, from, until).await;
                assert_eq!(rows(&mut conn, table).await, 0, "{table} from {from:?} until {until:?}");
            }
        }
    }
}

async fn set(conn: &mut PgConnection, from: &str, until: &str) {
    sqlx::query("SELECT set_config('tongxin.region_from', $1, false), set_config('tongxin.region_until', $2, false)")
        .bind(from)
        .bind(until)
        .execute(conn)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_region_shows_its_own_rows_only() {
    let (database, tables) = filled().await;
    let pool = app(&database).await;
    for table in &tables {
        for (scope, expected) in [
            (Scope::region(region(COUNTY)), 1),
            (Scope::region(region(VILLAGE)), 1),
            (Scope::region(region("441823107202")), 0),
            (Scope::region(region("441800000000")), 2),
            (Scope::EVERYWHERE, 2),
        ] {
            let mut tx = scope.read(&pool).await.unwrap();
            assert_eq!(rows(&mut tx, table).await, expected, "{table} in {scope:?}");
        }
    }
}

#[tokio::test]
async fn nothing_is_written_outside_of_the_region() {
    let (database, _) = filled().await;
    let pool = app(&database).await;
    let there = region(ELSEWHERE).number();

    let mut tx = Scope::region(region(COUNTY)).write(&pool).await.unwrap();
    let insert = sqlx::query("INSERT INTO tally (tally_id, region_code, reached) VALUES ('new', $1, 1)");
    assert_refused(insert.bind(there).execute(&mut *tx).await.map(drop));

    let mut tx = Scope::region(region(COUNTY)).write(&pool).await.unwrap();
    let moved = sqlx::query("UPDATE tally SET region_code = $1 WHERE tally_id = 'here'");
    assert_refused(moved.bind(there).execute(&mut *tx).await.map(drop));

    let mut tx = Scope::region(region(COUNTY)).write(&pool).await.unwrap();
    let changed = sqlx::query("UPDATE tally SET reached = 9 WHERE tally_id = 'there'").execute(&mut *tx).await;
    assert_eq!(changed.unwrap().rows_affected(), 0);

    let mut tx = Scope::region(region(VILLAGE)).write(&pool).await.unwrap();
    let context = tongxin_platform::request::Context::of_service("clerk", crate::support::noon());
    let counted = crate::support::Counted::default();
    tongxin_platform::log::append(&mut tx, &context, &[event("fresh", &counted)]).await.unwrap();
    tx.rollback().await.unwrap();
    let mut tx = Scope::region(region(ELSEWHERE)).write(&pool).await.unwrap();
    assert_refused(tongxin_platform::log::append(&mut tx, &context, &[event("fresh", &counted)]).await);
}

fn assert_refused(written: Result<(), sqlx::Error>) {
    let error = written.expect_err("it was written");
    let code = error.as_database_error().and_then(DatabaseError::code).unwrap();
    assert_eq!(code, "42501", "{error}");
}

#[tokio::test]
async fn every_table_with_a_region_is_restricted_even_for_its_owner() {
    let database = database().await;
    database.assert_regions_are_guarded().await;
    let mut owner = owner(&database).await;
    owner.execute("ALTER TABLE tally NO FORCE ROW LEVEL SECURITY").await.unwrap();
    let found = tokio::spawn(async move { database.assert_regions_are_guarded().await }).await;
    assert!(found.unwrap_err().is_panic(), "a table that does not bind its owner is found");
}
