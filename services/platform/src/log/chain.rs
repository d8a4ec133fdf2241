//! The hash chain that shows whether the log was altered.

use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use tongxin_proto::log::v1::Event;
use uuid::Uuid;

use super::read;
use crate::db::Scope;

/// The parts of an event that the chain covers: all but its number, which follows from its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content<'event> {
    pub event_id: Uuid,
    pub event_type: &'event str,
    pub aggregate_type: &'event str,
    pub aggregate_id: &'event str,
    pub version: i64,
    pub region_code: i64,
    pub occurred_on: NaiveDate,
    pub record_time: DateTime<Utc>,
    pub actor: &'event str,
    pub trace_parent: &'event str,
    pub payload: &'event [u8],
}

/// Hash of an event that follows another: SHA-256 over the previous hash and the event's fields in the order of the
/// contract. Texts and bytes are preceded by their length (8 bytes, big endian), numbers are 8 bytes, the date is days
/// and the time microseconds since 1970-01-01.
pub(crate) fn link(previous: &[u8], event: &Content<'_>) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    let mut bytes = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    bytes(event.event_id.as_bytes());
    bytes(event.event_type.as_bytes());
    bytes(event.aggregate_type.as_bytes());
    bytes(event.aggregate_id.as_bytes());
    bytes(&event.version.to_be_bytes());
    bytes(&event.region_code.to_be_bytes());
    bytes(&i64::from(event.occurred_on.to_epoch_days()).to_be_bytes());
    bytes(&event.record_time.timestamp_micros().to_be_bytes());
    bytes(event.actor.as_bytes());
    bytes(event.trace_parent.as_bytes());
    bytes(event.payload);
    hasher.finalize().into()
}

/// The result of a successful verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Number of events whose place in the chain was checked.
    pub events: i64,
    /// Hash of the newest one; empty in an empty log.
    pub hash: Vec<u8>,
}

/// What is wrong with the chain.
#[derive(Debug, thiserror::Error)]
pub enum ChainBroken {
    /// An event was altered, or its hash was.
    #[error("event {0} does not fit its hash: it, or one before it, was altered")]
    Altered(i64),
    /// An event is missing.
    #[error("event {0} is missing")]
    Missing(i64),
    /// The head does not name the newest event.
    #[error("the head of the log says {head}, its newest event is {newest}")]
    Head {
        /// Number in `log_head`.
        head: i64,
        /// Number of the newest event.
        newest: i64,
    },
    /// Postgres failed.
    #[error("reading the log failed")]
    Database(#[from] sqlx::Error),
}

/// Verifies the whole chain, reporting after each part the number of the event reached.
///
/// # Errors
/// The first place where the chain is broken.
pub async fn verify(pool: &PgPool, mut progress: impl FnMut(i64)) -> Result<Verified, ChainBroken> {
    const PART: i64 = 5_000;
    let head = head_of_all(pool).await?;
    let mut seq = 0;
    let mut hash = Vec::new();
    while seq < head.seq {
        let entries = read::entries(pool, seq, PART.min(head.seq - seq)).await?;
        if entries.is_empty() {
            return Err(ChainBroken::Missing(seq + 1));
        }
        for entry in entries {
            seq += 1;
            if entry.seq != Some(seq) {
                return Err(ChainBroken::Missing(seq));
            }
            let expected = link(&hash, &entry.content());
            if entry.hash.as_deref() != Some(&expected[..]) {
                return Err(ChainBroken::Altered(seq));
            }
            hash = expected.to_vec();
        }
        progress(seq);
    }
    if hash != head.hash {
        return Err(ChainBroken::Head { head: head.seq, newest: seq });
    }
    Ok(Verified { events: seq, hash })
}

/// The head, which no event may be beyond.
async fn head_of_all(pool: &PgPool) -> Result<read::Head, ChainBroken> {
    // One snapshot of the log, which may be growing.
    let mut tx = Scope::EVERYWHERE.read(pool).await?;
    let head =
        sqlx::query_as!(read::Head, "SELECT epoch, seq, hash, published_seq FROM log_head").fetch_one(&mut *tx).await?;
    let newest = sqlx::query_scalar!("SELECT max(seq) FROM event").fetch_one(&mut *tx).await?.unwrap_or_default();
    tx.commit().await?;
    if newest > head.seq {
        return Err(ChainBroken::Head { head: head.seq, newest });
    }
    Ok(head)
}

impl From<read::Entry> for Event {
    fn from(entry: read::Entry) -> Self {
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
