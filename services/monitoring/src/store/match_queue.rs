//! The queue of people to be matched, because their warnings or registration changed.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use tongxin_platform::request::Context;

use super::keys::Hash;
use crate::error::Error;

/// Maximum number of people in an entry, which is matched in one transaction.
const PEOPLE_PER_ENTRY: usize = 500;

/// People that were queued together.
#[derive(Debug)]
pub struct Entry {
    /// Rises with the time of entry.
    pub id: i64,
    /// Their blind indexes.
    pub people: Vec<Hash>,
    /// Number of failed attempts.
    pub attempts: i32,
}

/// Length and age of the queue.
#[derive(Debug, Clone, Copy, Default)]
pub struct Waiting {
    /// Number of entries.
    pub entries: i64,
    /// Age of the oldest entry in seconds; 0 if there is none.
    pub oldest_seconds: i64,
}

/// Queues people, to be matched once this transaction is committed.
pub async fn add(conn: &mut PgConnection, context: &Context, people: impl Iterator<Item = Hash>) -> Result<(), Error> {
    let people: Vec<Hash> = people.collect::<BTreeSet<_>>().into_iter().collect();
    for people in people.chunks(PEOPLE_PER_ENTRY) {
        sqlx::query!("INSERT INTO match_queue (people) VALUES ($1)", people).execute(&mut *conn).await?;
        context.leave_work();
    }
    Ok(())
}

/// Locks the entries that are due, longest due first, skipping those that other transactions have locked.
pub async fn due(conn: &mut PgConnection, most: i64) -> Result<Vec<Entry>, Error> {
    let entries = sqlx::query_as!(
        Entry,
        r#"
        SELECT entry_id AS id, people, attempts
        FROM match_queue
        WHERE due_time <= now()
        ORDER BY due_time, entry_id
        LIMIT $1
        FOR UPDATE SKIP LOCKED
        "#,
        most,
    )
    .fetch_all(conn)
    .await?;
    Ok(entries)
}

/// Locks an entry, if it exists and is not locked.
pub async fn find(conn: &mut PgConnection, id: i64) -> Result<Option<Entry>, Error> {
    let entry = sqlx::query_as!(
        Entry,
        r#"
        SELECT entry_id AS id, people, attempts
        FROM match_queue
        WHERE entry_id = $1
        FOR UPDATE SKIP LOCKED
        "#,
        id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(entry)
}

/// Deletes entries whose people are matched.
pub async fn take_out(conn: &mut PgConnection, ids: &[i64]) -> Result<(), Error> {
    sqlx::query!("DELETE FROM match_queue WHERE entry_id = ANY($1)", ids).execute(conn).await?;
    Ok(())
}

/// Moves entries that are not finished to the end of the queue.
pub async fn put_behind(conn: &mut PgConnection, ids: &[i64]) -> Result<(), Error> {
    sqlx::query!("UPDATE match_queue SET due_time = clock_timestamp() WHERE entry_id = ANY($1)", ids)
        .execute(conn)
        .await?;
    Ok(())
}

/// Delays entries for a moment, until the locks on their households are released.
pub async fn put_by(conn: &mut PgConnection, ids: &[i64]) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE match_queue SET due_time = clock_timestamp() + interval '100 milliseconds' WHERE entry_id = ANY($1)",
        ids,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Splits an entry into one for each person, so that one cannot keep others from being matched.
pub async fn part(conn: &mut PgConnection, id: i64) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH parted AS (
            DELETE FROM match_queue WHERE entry_id = $1 RETURNING people, enqueue_time
        )
        INSERT INTO match_queue (people, enqueue_time)
        SELECT ARRAY[person], enqueue_time
        FROM parted, unnest(people) AS person
        "#,
        id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Back-off after a failure: one second, doubled each time, at most ten minutes.
pub async fn put_off(conn: &mut PgConnection, id: i64) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE match_queue
        SET attempts = attempts + 1,
            due_time = clock_timestamp() + least(interval '1 second' * 2 ^ least(attempts, 20), interval '10 minutes')
        WHERE entry_id = $1
        "#,
        id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Measures the queue.
pub async fn waiting(conn: &mut PgConnection) -> Result<Waiting, Error> {
    let waiting = sqlx::query_as!(
        Waiting,
        r#"
        SELECT count(*) AS "entries!",
               coalesce(extract(epoch FROM clock_timestamp() - min(enqueue_time)), 0)::bigint AS "oldest_seconds!"
        FROM match_queue
        "#,
    )
    .fetch_one(conn)
    .await?;
    Ok(waiting)
}
