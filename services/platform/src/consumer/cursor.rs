//! How far a consumer has come.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{Envelope, Fault};

/// The newest event that was handled or parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Cursor {
    pub epoch: i64,
    pub seq: i64,
    /// The event of that number; `None` before the first one.
    pub event_id: Option<Uuid>,
}

impl Cursor {
    /// After one more event of the same epoch.
    pub fn at(self, event: &Envelope) -> Result<Self, Fault> {
        let event_id = Uuid::try_parse(&event.event_id).map_err(|_| Fault::EventIdWrong(event.seq))?;
        Ok(Self { epoch: self.epoch, seq: event.seq, event_id: Some(event_id) })
    }
}

pub(super) async fn read(pool: &PgPool, consumer: &str, source: &str) -> Result<Cursor, sqlx::Error> {
    let cursor = sqlx::query_as!(
        Cursor,
        "SELECT epoch, seq, event_id FROM cursor WHERE consumer = $1 AND source = $2",
        consumer,
        source,
    )
    .fetch_optional(pool)
    .await?;
    Ok(cursor.unwrap_or_default())
}

/// Keeps others from moving the cursor until the transaction ends.
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
        "SELECT epoch, seq, event_id FROM cursor WHERE consumer = $1 AND source = $2 FOR UPDATE",
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
    cursor: Cursor,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE cursor
        SET epoch = $3,
            seq = $4,
            event_id = $5,
            update_time = clock_timestamp()
        WHERE consumer = $1 AND source = $2
        "#,
        consumer,
        source,
        cursor.epoch,
        cursor.seq,
        cursor.event_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}
