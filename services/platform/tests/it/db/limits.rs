//! Time limits of statements and locks.

use sqlx::{Connection as _, error::DatabaseError};

use super::*;
use tongxin_platform::error::{ErrorKind, database_kind};

fn code(error: &sqlx::Error) -> String {
    error.as_database_error().and_then(DatabaseError::code).unwrap_or_default().into_owned()
}

#[tokio::test]
async fn a_statement_that_takes_too_long_ends_and_may_be_sent_again() {
    let database = database().await;
    let config = DbConfig { statement_seconds: 1, ..DbConfig::at(&database.app_url) };
    let pool = connect(&config).await.unwrap();
    let cancelled = sqlx::query("SELECT pg_sleep(300)").execute(&pool).await.unwrap_err();
    assert_eq!((code(&cancelled).as_str(), database_kind(&cancelled)), ("57014", ErrorKind::Unavailable));
    // The connection is still usable.
    sqlx::query("SELECT 1").execute(&pool).await.unwrap();
}

#[tokio::test]
async fn who_waits_too_long_for_a_lock_gives_up_and_may_ask_again() {
    let database = database().await;
    // Otherwise the statement's time limit would end it first.
    let pool = connect(&DbConfig { statement_seconds: 300, ..DbConfig::at(&database.app_url) }).await.unwrap();
    let mut owner = owner(&database).await;
    let mut held = owner.begin().await.unwrap();
    sqlx::query("LOCK TABLE total").execute(&mut *held).await.unwrap();
    let insert = "INSERT INTO total (tally_id, total) VALUES ('late', 1)";
    let gave_up = sqlx::query(insert).execute(&pool).await.unwrap_err();
    assert_eq!((code(&gave_up).as_str(), database_kind(&gave_up)), ("55P03", ErrorKind::Unavailable));
    held.rollback().await.unwrap();
    sqlx::query(insert).execute(&pool).await.unwrap();
}
