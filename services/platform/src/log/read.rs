//! Reads the log and its head.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgConnection, PgPool};
use tongxin_proto::log::v1::Event;
use uuid::Uuid;

use super::link::Content;
use crate::db::Scope;

/// The head of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Rises when the database was restored to the past.
    pub epoch: i64,
    /// Newest event; 0 in an empty log.
    pub seq: i64,
    /// Its chain hash; empty in an empty log.
    pub hash: Vec<u8>,
    /// Newest event that was published to the broker.
    pub published_seq: i64,
}

/// Begins a new epoch after the database was restored to the past, as the role that owns it: consumers delete what came
/// of the log and read it from its start. Returns the new epoch: the moment in milliseconds since 1970, so it is later
/// than any earlier one, even one that was lost with the restore.
///
/// # Errors
/// If Postgres fails.
pub async fn begin_epoch(owner: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        UPDATE log_head
        SET epoch = greatest(epoch + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
        RETURNING epoch
        "#
    )
    .fetch_one(owner)
    .await
}

/// A row of the log.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub id: i64,
    pub event_id: Uuid,
    pub event_type: String,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub version: i64,
    pub region_code: i64,
    pub occurred_on: NaiveDate,
    pub record_time: DateTime<Utc>,
    pub actor: String,
    pub trace_parent: String,
    pub payload: Vec<u8>,
    pub seq: Option<i64>,
    pub hash: Option<Vec<u8>>,
}

impl Entry {
    /// The fields that the chain covers.
    pub(super) fn content(&self) -> Content<'_> {
        Content {
            event_id: self.event_id,
            event_type: &self.event_type,
            aggregate_type: &self.aggregate_type,
            aggregate_id: &self.aggregate_id,
            version: self.version,
            region_code: self.region_code,
            occurred_on: self.occurred_on,
            record_time: self.record_time,
            actor: &self.actor,
            trace_parent: &self.trace_parent,
            payload: &self.payload,
        }
    }
}

/// Reads the head.
///
/// # Errors
/// If Postgres fails.
pub async fn head(pool: &PgPool) -> Result<Head, sqlx::Error> {
    sqlx::query_as!(Head, "SELECT epoch, seq, hash, published_seq FROM log_head").fetch_one(pool).await
}

/// A place in the hash chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub epoch: i64,
    /// Chain hash of the event; none if the log has no event of that number.
    pub hash: Option<Vec<u8>>,
}

/// Reads the chain hash of one event.
pub(super) async fn place(pool: &PgPool, seq: i64) -> Result<Place, sqlx::Error> {
    let mut tx = Scope::EVERYWHERE.read(pool).await?;
    let place = sqlx::query_as!(
        Place,
        r#"
        SELECT log_head.epoch, event.hash AS "hash?"
        FROM log_head
        LEFT JOIN event ON event.seq = $1
        "#,
        seq,
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(place)
}

/// Reads events of every region after a number, oldest first.
///
/// # Errors
/// If Postgres fails.
pub async fn read(pool: &PgPool, after_seq: i64, limit: i64) -> Result<Vec<Event>, sqlx::Error> {
    let entries = entries(pool, after_seq, limit).await?;
    Ok(entries.into_iter().map(Event::from).collect())
}

pub(super) async fn entries(pool: &PgPool, after_seq: i64, limit: i64) -> Result<Vec<Entry>, sqlx::Error> {
    let mut tx = Scope::EVERYWHERE.read(pool).await?;
    let entries = sqlx::query_as!(
        Entry,
        r#"
        SELECT id, event_id, event_type, aggregate_type, aggregate_id, version, region_code, occurred_on,
               record_time, actor, trace_parent, payload, seq, hash
        FROM event
        WHERE seq > $1
        ORDER BY seq
        LIMIT $2
        "#,
        after_seq,
        limit,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(entries)
}

impl From<Entry> for Event {
    fn from(entry: Entry) -> Self {
        Self {
            seq: entry.seq.unwrap_or_default(),
            event_id: entry.event_id.to_string(),
            event_type: entry.event_type,
            aggregate_type: entry.aggregate_type,
            aggregate_id: entry.aggregate_id,
            version: entry.version,
            region_code: entry.region_code.to_string(),
            occurred_on: Some(entry.occurred_on.into()),
            record_time: Some(crate::clock::timestamp(entry.record_time)),
            actor: entry.actor,
            trace_parent: entry.trace_parent,
            payload: entry.payload,
            hash: entry.hash.unwrap_or_default(),
        }
    }
}
