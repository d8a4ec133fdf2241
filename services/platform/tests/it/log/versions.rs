//! Versions continue wherever an aggregate's events are, and finding the last one reads no more for a long history.

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::*;
use crate::support::{Counted, ELSEWHERE, VILLAGE, region};
use tongxin_platform::{
    db::{self, DbConfig, Scope},
    log::{self, NewEvent},
};

const LONG: &str = "a tally with a past";

fn told(tally_id: &str, village: &str) -> NewEvent {
    let counted = Counted { tally_id: tally_id.to_owned(), by: 1, reached: 1 };
    NewEvent::new(("tally", tally_id), region(village), NaiveDate::default(), &counted)
}

/// Rows that this transaction has read from the log so far.
async fn read(conn: &mut PgConnection) -> i64 {
    let question = "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = 'event'";
    sqlx::query_scalar(question).fetch_one(conn).await.unwrap()
}

#[tokio::test]
async fn a_past_elsewhere_is_counted_and_not_read() {
    const PAST: usize = 5_000;
    let database = database().await;
    let pool = db::connect(&DbConfig::at(&database.app_url)).await.unwrap();
    let mut there = Scope::region(region(ELSEWHERE)).write(&pool).await.unwrap();
    let past: Vec<NewEvent> = (0..PAST).map(|_| told(LONG, ELSEWHERE)).collect();
    log::append(&mut there, &context(), &past).await.unwrap();
    there.commit().await.unwrap();

    let mut here = Scope::region(region(VILLAGE)).write(&pool).await.unwrap();
    let before = read(&mut here).await;
    let goes_on: Vec<NewEvent> = (0..500).flat_map(|_| [told(LONG, VILLAGE), told("a new one", VILLAGE)]).collect();
    log::append(&mut here, &context(), &goes_on).await.unwrap();
    let rows = read(&mut here).await - before;
    assert!(rows <= 2, "{rows} rows were read for two aggregates");

    let seen: (i64, i64, i64) = sqlx::query_as(
        "SELECT count(*), min(version), max(version) FROM event WHERE aggregate_id = 'a tally with a past'",
    )
    .fetch_one(&mut *here)
    .await
    .unwrap();
    assert_eq!(seen, (500, 5_001, 5_500), "the caller sees its own region as before");
    here.commit().await.unwrap();
    let wrong = "SELECT count(*) FROM (
        SELECT aggregate_id FROM event GROUP BY 1 HAVING min(version) <> 1 OR max(version) <> count(*)) AS gap";
    assert_eq!(everywhere(&pool, wrong).await, 0);
}

#[tokio::test]
async fn what_tells_versions_tells_nothing_else_and_leaves_the_region_as_it_was() {
    let database = database().await;
    let pool = db::connect(&DbConfig::at(&database.app_url)).await.unwrap();
    let mut there = Scope::region(region(ELSEWHERE)).write(&pool).await.unwrap();
    log::append(&mut there, &context(), &[told(LONG, ELSEWHERE)]).await.unwrap();
    there.commit().await.unwrap();

    let mut here = Scope::region(region(VILLAGE)).write(&pool).await.unwrap();
    let asked = "SELECT version FROM last_versions(ARRAY['a tally with a past', 'a tally with a past', 'none'])";
    let versions: Vec<i64> = sqlx::query_scalar(asked).fetch_all(&mut *here).await.unwrap();
    assert_eq!(versions, [1], "one for each that has events");
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM event").fetch_one(&mut *here).await.unwrap();
    assert_eq!(rows, 0, "after it the transaction sees its own region alone");
}
