//! Events that could not be handled, and later events of the same aggregates.

use std::collections::HashSet;

use sqlx::{PgConnection, PgPool};
use tracing::info;

use super::{
    Envelope, EventHandler,
    fault::Fault,
    handle::{ApplyError, handle},
};
use crate::db::Scope;

pub(super) async fn keep(
    conn: &mut PgConnection,
    consumer: &str,
    event: &Envelope,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO parked_event (consumer, source, epoch, seq, aggregate_id, event_type, event, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        "#,
        consumer,
        event.source,
        event.epoch,
        event.seq,
        event.aggregate_id,
        event.event_type,
        event.to_bytes(),
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Aggregates whose events have to wait.
pub(super) async fn aggregates(
    conn: &mut PgConnection,
    consumer: &str,
    source: &str,
) -> Result<HashSet<String>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "SELECT DISTINCT aggregate_id FROM parked_event WHERE consumer = $1 AND source = $2",
        consumer,
        source,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().collect())
}

pub(super) async fn count(pool: &PgPool, consumer: &str, source: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM parked_event WHERE consumer = $1 AND source = $2"#,
        consumer,
        source,
    )
    .fetch_one(pool)
    .await
}

pub(super) async fn forget(conn: &mut PgConnection, consumer: &str, source: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM parked_event WHERE consumer = $1 AND source = $2", consumer, source)
        .execute(conn)
        .await?;
    Ok(())
}

/// Retries every parked event, oldest first. Where one fails, later events of its aggregate stay parked.
pub(super) async fn retry<H: EventHandler>(
    pool: &PgPool,
    consumer: &'static str,
    source: &'static str,
    handler: &H,
) -> Result<(), Fault> {
    let mut still_waiting = HashSet::new();
    let mut tried = 0;
    loop {
        let parked = after(pool, consumer, source, tried).await?;
        let Some(last) = parked.last() else { return Ok(()) };
        tried = last.seq;
        for event in parked {
            if still_waiting.contains(&event.aggregate_id) {
                continue;
            }
            match retry_one(pool, consumer, &event, handler).await {
                Ok(()) => info!(consumer, source, seq = event.seq, "a parked event was handled"),
                Err(ApplyError::Fault(fault)) => return Err(fault),
                Err(ApplyError::Event(_)) => {
                    still_waiting.insert(event.aggregate_id);
                }
            }
        }
    }
}

/// Some parked events, oldest first; all are of one epoch, because those of older epochs are deleted.
async fn after(pool: &PgPool, consumer: &str, source: &'static str, seq: i64) -> Result<Vec<Envelope>, sqlx::Error> {
    const PART: i64 = 500;
    let rows = sqlx::query!(
        r#"
        SELECT epoch, event
        FROM parked_event
        WHERE consumer = $1 AND source = $2 AND seq > $3
        ORDER BY seq
        LIMIT $4
        "#,
        consumer,
        source,
        seq,
        PART,
    )
    .fetch_all(pool)
    .await?;
    let unreadable = || sqlx::Error::Decode("a parked event cannot be read".into());
    rows.into_iter().map(|row| Envelope::from_bytes(source, row.epoch, &row.event).ok_or_else(unreadable)).collect()
}

async fn retry_one<H: EventHandler>(
    pool: &PgPool,
    consumer: &'static str,
    event: &Envelope,
    handler: &H,
) -> Result<(), ApplyError> {
    let mut tx = Scope::EVERYWHERE.write(pool).await?;
    let taken = sqlx::query!(
        "DELETE FROM parked_event WHERE consumer = $1 AND source = $2 AND epoch = $3 AND seq = $4",
        consumer,
        event.source,
        event.epoch,
        event.seq,
    )
    .execute(&mut *tx)
    .await?;
    if taken.rows_affected() == 1 {
        handle(handler, consumer, &mut tx, std::slice::from_ref(event)).await?;
    }
    tx.commit().await?;
    Ok(())
}
