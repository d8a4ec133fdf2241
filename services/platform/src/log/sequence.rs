//! Gives events their numbers and their place in the hash chain.

use sqlx::PgPool;

use super::{
    link,
    read::{Entry, Head},
};
use crate::db::Scope;

/// Maximum number of events that one transaction numbers.
pub(super) const BATCH: i64 = 2_000;

/// Numbers the oldest unnumbered events and returns them.
///
/// The lock on the head makes numbers gapless whoever calls. Events are taken in the order of their ids; one whose
/// transaction commits late gets a later number than its id suggests.
pub(super) async fn sequence(pool: &PgPool) -> Result<Vec<Entry>, sqlx::Error> {
    let mut tx = Scope::EVERYWHERE.write(pool).await?;
    let head = sqlx::query_as!(Head, "SELECT epoch, seq, hash, published_seq FROM log_head FOR UPDATE")
        .fetch_one(&mut *tx)
        .await?;
    let mut entries = sqlx::query_as!(
        Entry,
        r#"
        SELECT id, event_id, event_type, aggregate_type, aggregate_id, version, region_code, occurred_on,
               record_time, actor, trace_parent, payload, seq, hash
        FROM event
        WHERE seq IS NULL
        ORDER BY id
        LIMIT $1
        "#,
        BATCH,
    )
    .fetch_all(&mut *tx)
    .await?;
    let Some(last) = number(&mut entries, &head) else {
        return Ok(entries);
    };

    let ids: Vec<i64> = entries.iter().map(|entry| entry.id).collect();
    let hashes: Vec<&[u8]> = entries.iter().filter_map(|entry| entry.hash.as_deref()).collect();
    sqlx::query!(
        r#"
        UPDATE event
        SET seq = $3 + numbered.position,
            hash = numbered.hash
        FROM unnest($1::bigint[], $2::bytea[]) WITH ORDINALITY AS numbered (id, hash, position)
        WHERE event.id = numbered.id
        "#,
        &ids,
        &hashes as &[&[u8]],
        head.seq,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("UPDATE log_head SET seq = $1, hash = $2", last.0, last.1).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(entries)
}

/// Numbers the entries after the head and returns the last number with its hash.
fn number(entries: &mut [Entry], head: &Head) -> Option<(i64, Vec<u8>)> {
    let mut last = None;
    let mut hash = head.hash.clone();
    for (entry, seq) in entries.iter_mut().zip(head.seq + 1..) {
        hash = link::link(&hash, &entry.content()).to_vec();
        entry.seq = Some(seq);
        entry.hash = Some(hash.clone());
        last = Some(seq);
    }
    last.map(|seq| (seq, hash))
}

/// Numbers the events that wait for a number, as the relay does.
///
/// # Errors
/// When Postgres fails.
#[cfg(any(test, feature = "testing"))]
pub async fn number_waiting(pool: &PgPool) -> Result<(), sqlx::Error> {
    sequence(pool).await.map(drop)
}
