//! An event of another service, from the broker or from its log.

use async_nats::{HeaderMap, Message};
use chrono::{DateTime, NaiveDate, Utc};
use prost::Message as _;
use tongxin_proto::log::v1::Event;
use uuid::Uuid;

use crate::{
    clock::timestamp,
    log::{Content, MESSAGE_BYTES, link, subject, unescaped},
};

/// An event as its source states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The service that it comes from.
    pub source: &'static str,
    /// Epoch of the source's log.
    pub epoch: i64,
    /// Number in the source's log.
    pub seq: i64,
    /// The event's identifier.
    pub event_id: Uuid,
    /// Full name of the payload's message.
    pub event_type: String,
    /// Kind of what it happened to.
    pub aggregate_type: String,
    /// What it happened to.
    pub aggregate_id: String,
    /// Number of the event among those of its aggregate, from 1.
    pub version: i64,
    /// The region's code.
    pub region_code: i64,
    /// Business date.
    pub occurred_on: NaiveDate,
    /// When the source recorded it, in microseconds.
    pub record_time: DateTime<Utc>,
    /// Subject of the token that caused it.
    pub actor: String,
    /// W3C trace context of what caused it; may be empty.
    pub trace_parent: String,
    /// The encoded message.
    pub payload: Vec<u8>,
}

impl Envelope {
    /// Parses a message of the broker; `None` if the source does not publish messages of this form.
    ///
    /// Different spellings of a value are parsed to one, so that equal hashes mean equal envelopes.
    #[must_use]
    pub fn from_message(source: &'static str, message: &Message) -> Option<Self> {
        let headers = message.headers.as_ref()?;
        let event_type = text(headers, "ce-type")?;
        let is_of_source = text(headers, "ce-source")?.strip_prefix("/tongxin/") == Some(source)
            && message.subject.as_str() == subject(source, event_type);
        let is_small = i32::try_from(message.payload.len()).is_ok_and(|bytes| bytes <= MESSAGE_BYTES);
        if !is_of_source || !is_small {
            return None;
        }
        let (aggregate_type, aggregate_id) = text(headers, "ce-subject")?.split_once('/')?;
        let record_time = DateTime::parse_from_rfc3339(text(headers, "ce-time")?).ok()?;
        Some(Self {
            source,
            epoch: text(headers, "tx-epoch")?.parse().ok()?,
            seq: text(headers, "tx-seq")?.parse().ok()?,
            event_id: text(headers, "ce-id")?.parse().ok()?,
            event_type: event_type.to_owned(),
            aggregate_type: aggregate_type.to_owned(),
            aggregate_id: unescaped(aggregate_id)?,
            version: text(headers, "tx-version")?.parse().ok()?,
            region_code: text(headers, "tx-region")?.parse().ok()?,
            occurred_on: text(headers, "tx-occurred-on")?.parse().ok()?,
            record_time: DateTime::from_timestamp_micros(record_time.timestamp_micros())?,
            actor: unescaped(text(headers, "tx-actor")?)?,
            trace_parent: text(headers, "traceparent").unwrap_or_default().to_owned(),
            payload: message.payload.to_vec(),
        })
    }

    /// Parses an entry of the source's log; `None` if it is incomplete.
    #[must_use]
    pub fn from_log(source: &'static str, epoch: i64, event: Event) -> Option<Self> {
        let record_time = event.record_time?;
        let record_time = DateTime::from_timestamp(record_time.seconds, record_time.nanos.try_into().ok()?)?;
        Some(Self {
            source,
            epoch,
            seq: event.seq,
            event_id: event.event_id.parse().ok()?,
            event_type: event.event_type,
            aggregate_type: event.aggregate_type,
            aggregate_id: event.aggregate_id,
            version: event.version,
            region_code: event.region_code.parse().ok()?,
            occurred_on: event.occurred_on?.try_into().ok()?,
            record_time,
            actor: event.actor,
            trace_parent: event.trace_parent,
            payload: event.payload,
        })
    }

    /// The chain hash after this event, from the previous one.
    #[must_use]
    pub fn link(&self, previous: &[u8]) -> [u8; 32] {
        let content = Content {
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
        };
        link(previous, &content)
    }

    /// The place in the log that it claims.
    #[must_use]
    pub fn place(&self) -> (i64, i64) {
        (self.epoch, self.seq)
    }

    /// The event in the form in which parked events are stored.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let event = Event {
            seq: self.seq,
            event_id: self.event_id.to_string(),
            event_type: self.event_type.clone(),
            aggregate_type: self.aggregate_type.clone(),
            aggregate_id: self.aggregate_id.clone(),
            version: self.version,
            region_code: self.region_code.to_string(),
            occurred_on: Some(self.occurred_on.into()),
            record_time: Some(timestamp(self.record_time)),
            actor: self.actor.clone(),
            trace_parent: self.trace_parent.clone(),
            payload: self.payload.clone(),
            hash: Vec::new(),
        };
        event.encode_to_vec()
    }

    /// A stored event.
    pub(super) fn from_bytes(source: &'static str, epoch: i64, bytes: &[u8]) -> Option<Self> {
        Self::from_log(source, epoch, Event::decode(bytes).ok()?)
    }
}

fn text<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    headers.get(name).map(async_nats::HeaderValue::as_str)
}
