//! An event of another service, from the broker or from its log.

use async_nats::{HeaderMap, jetstream::Message};
use chrono::NaiveDate;
use prost::Message as _;
use tongxin_proto::log::v1::Event;

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
    pub event_id: String,
    /// Full name of the payload's message.
    pub event_type: String,
    /// What it happened to.
    pub aggregate_id: String,
    /// The region's code, as text.
    pub region_code: String,
    /// Business date.
    pub occurred_on: NaiveDate,
    /// W3C trace context of what caused it; may be empty.
    pub trace_parent: String,
    /// The encoded message.
    pub payload: Vec<u8>,
}

impl Envelope {
    /// Reads a message of the broker; `None` if its headers are not those of an event.
    pub(super) fn from_message(source: &'static str, message: &Message) -> Option<Self> {
        let headers = message.headers.as_ref()?;
        let (_, aggregate_id) = text(headers, "ce-subject")?.split_once('/')?;
        Some(Self {
            source,
            epoch: text(headers, "tx-epoch")?.parse().ok()?,
            seq: text(headers, "tx-seq")?.parse().ok()?,
            event_id: text(headers, "ce-id")?.to_owned(),
            event_type: text(headers, "ce-type")?.to_owned(),
            aggregate_id: aggregate_id.to_owned(),
            region_code: text(headers, "tx-region")?.to_owned(),
            occurred_on: text(headers, "tx-occurred-on")?.parse().ok()?,
            trace_parent: text(headers, "traceparent").unwrap_or_default().to_owned(),
            payload: message.payload.to_vec(),
        })
    }

    /// Reads an entry of the source's log; `None` if it is not whole.
    pub(super) fn from_log(source: &'static str, epoch: i64, event: Event) -> Option<Self> {
        Some(Self {
            source,
            epoch,
            seq: event.seq,
            event_id: event.event_id,
            event_type: event.event_type,
            aggregate_id: event.aggregate_id,
            region_code: event.region_code,
            occurred_on: event.occurred_on?.try_into().ok()?,
            trace_parent: event.trace_parent,
            payload: event.payload,
        })
    }

    /// The event for keeping, until it can be handled.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let event = Event {
            seq: self.seq,
            event_id: self.event_id.clone(),
            event_type: self.event_type.clone(),
            aggregate_id: self.aggregate_id.clone(),
            region_code: self.region_code.clone(),
            occurred_on: Some(self.occurred_on.into()),
            trace_parent: self.trace_parent.clone(),
            payload: self.payload.clone(),
            ..Event::default()
        };
        event.encode_to_vec()
    }

    /// The kept event.
    pub(super) fn from_bytes(source: &'static str, epoch: i64, bytes: &[u8]) -> Option<Self> {
        Self::from_log(source, epoch, Event::decode(bytes).ok()?)
    }
}

fn text<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    headers.get(name).map(async_nats::HeaderValue::as_str)
}
