//! The link from one event to the next: a hash over both.

use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

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
