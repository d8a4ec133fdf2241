//! People whose warnings or registration changed, until they are matched.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use tongxin_platform::request::Context;

use super::keys::Hash;
use crate::error::Error;

/// People of one entry at most: so many are matched in one transaction.
const PEOPLE_PER_ENTRY: usize = 500;

/// Some people who wait together.
#[derive(Debug)]
pub struct Entry {
    /// Its number, in the order in which entries came.
    pub id: i64,
    /// By what they are found.
    pub people: Vec<Hash>,
    /// How often matching them failed.
    pub attempts: i32,
}

/// How much waits, and for how long.
#[derive(Debug, Clone, Copy, Default)]
pub struct Waiting {
    /// Entries.
    pub entries: i64,
    /// Seconds since the oldest of them came; 0 when there is none.
    pub oldest_seconds: i64,
}

/// Lets people be matched once this transaction is committed.
pub async fn add(conn: &mut PgConnection, context: &Context, people: impl Iterator<Item = Hash>) -> Result<(), Error> {
    let people: Vec<Hash> = people.collect::<BTreeSet<_>>().into_iter().collect();
    for people in people.chunks(PEOPLE_PER_ENTRY) {
        sqlx::query!("INSERT INTO match_queue (people) VALUES ($1)", people).execute(&mut *conn).await?;
        context.leave_work();
    }
    Ok(())
}

/// Locks the entries that are due, those first that wait longest. Whoever else takes some takes others.
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

/// Locks an entry, if it is there and nobody else has it.
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

/// Takes out entries whose people are matched.
pub async fn take_out(conn: &mut PgConnection, ids: &[i64]) -> Result<(), Error> {
    sqlx::query!("DELETE FROM match_queue WHERE entry_id = ANY($1)", ids).execute(conn).await?;
    Ok(())
}

/// Puts entries of which something is left behind those that came meanwhile.
pub async fn put_behind(conn: &mut PgConnection, ids: &[i64]) -> Result<(), Error> {
    sqlx::query!("UPDATE match_queue SET due_time = clock_timestamp() WHERE entry_id = ANY($1)", ids)
        .execute(conn)
        .await?;
    Ok(())
}

/// Leaves entries alone for a moment, in which whoever holds their households may let go.
pub async fn put_by(conn: &mut PgConnection, ids: &[i64]) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE match_queue SET due_time = clock_timestamp() + interval '100 milliseconds' WHERE entry_id = ANY($1)",
        ids,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives each person of an entry one of its own, so that one keeps no other from being matched.
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

/// Puts an entry off that failed: for a second, then for twice as long each time, at most for ten minutes.
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

/// Says how much waits.
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
