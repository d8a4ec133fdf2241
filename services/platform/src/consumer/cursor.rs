//! How far a consumer has come.

use sqlx::{PgConnection, PgPool};

/// The newest event that was handled or parked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cursor {
    pub epoch: i64,
    pub seq: i64,
    /// Chain hash of the event of that number; empty before the first one.
    pub hash: Vec<u8>,
}

impl Cursor {
    /// Before the first event of an epoch.
    pub fn at_start(epoch: i64) -> Self {
        Self { epoch, seq: 0, hash: Vec::new() }
    }

    pub fn place(&self) -> (i64, i64) {
        (self.epoch, self.seq)
    }
}

pub(super) async fn read(pool: &PgPool, consumer: &str, source: &str) -> Result<Cursor, sqlx::Error> {
    let cursor = sqlx::query_as!(
        Cursor,
        "SELECT epoch, seq, hash FROM cursor WHERE consumer = $1 AND source = $2",
        consumer,
        source,
    )
    .fetch_optional(pool)
    .await?;
    Ok(cursor.unwrap_or_default())
}

/// Locks the cursor until the transaction ends.
pub(super) async fn lock(conn: &mut PgConnection, consumer: &str, source: &str) -> Result<Cursor, sqlx::Error> {
    sqlx::query!(
        "INSERT INTO cursor (consumer, source, epoch, seq) VALUES ($1, $2, 0, 0) ON CONFLICT DO NOTHING",
        consumer,
        source,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query_as!(
        Cursor,
        "SELECT epoch, seq, hash FROM cursor WHERE consumer = $1 AND source = $2 FOR UPDATE",
        consumer,
        source,
    )
    .fetch_one(conn)
    .await
}

pub(super) async fn save(
    conn: &mut PgConnection,
    consumer: &str,
    source: &str,
    cursor: &Cursor,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE cursor
        SET epoch = $3,
            seq = $4,
            hash = $5,
            update_time = clock_timestamp()
        WHERE consumer = $1 AND source = $2
        "#,
        consumer,
        source,
        cursor.epoch,
        cursor.seq,
        cursor.hash,
    )
    .execute(conn)
    .await?;
    Ok(())
}
