//! Effects of a cancelled transaction.

use std::{future::Future as _, pin::pin, task::Context, time::Duration};

use futures::task::noop_waker;

use super::*;
use tongxin_platform::{db::Scope, testing::eventually};

/// One connection, so that the next transaction meets what is left on it.
fn narrow(database: &Database) -> DbConfig {
    DbConfig { max_connections: 1, ..DbConfig::at(&database.app_url) }
}

#[tokio::test]
async fn a_begin_that_was_dropped_takes_no_later_write_with_it() {
    let database = database().await;
    let pool = connect(&narrow(&database)).await.unwrap();
    drop(pool.acquire().await.unwrap());
    // Sometimes Postgres is so fast that one poll is enough.
    while !is_dropped_under_way(&pool).await {}

    sqlx::query("INSERT INTO total (tally_id, total) VALUES ('kept', 1)").execute(&pool).await.unwrap();
    let mut witness = owner(&database).await;
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM total").fetch_one(&mut witness).await.unwrap();
    assert_eq!(kept, 1, "an acknowledged write is gone");
    assert_eq!(idle_in_transaction(&mut witness).await, 0);
}

/// Polls a begin once and drops it.
async fn is_dropped_under_way(pool: &PgPool) -> bool {
    // Without a free connection one poll does not reach the BEGIN.
    eventually("the connection is free", || async { pool.num_idle() == 1 }).await;
    let mut begin = pin!(Scope::EVERYWHERE.write(pool));
    begin.as_mut().poll(&mut Context::from_waker(&noop_waker())).is_pending()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_of_the_pool_stays_in_a_transaction() {
    let database = database().await;
    let pool = open(&DbConfig { max_connections: 4, ..DbConfig::at(&database.app_url) }).await.unwrap();
    for micros in 0..400 {
        let begin = tokio::time::timeout(Duration::from_micros(micros * 2), Scope::EVERYWHERE.write(&pool));
        drop(begin.await);
        sqlx::query("INSERT INTO total (tally_id, total) VALUES ($1, 1)")
            .bind(micros.to_string())
            .execute(&pool)
            .await
            .unwrap();
    }
    let mut witness = owner(&database).await;
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM total").fetch_one(&mut witness).await.unwrap();
    assert_eq!(kept, 400, "acknowledged writes are gone");
    assert_eq!(idle_in_transaction(&mut witness).await, 0);
}

async fn idle_in_transaction(witness: &mut sqlx::PgConnection) -> i64 {
    let question = "
        SELECT count(*)
        FROM pg_stat_activity
        WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    sqlx::query_scalar(question).fetch_one(witness).await.unwrap()
}
