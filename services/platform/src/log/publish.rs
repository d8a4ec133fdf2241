//! Hands events to JetStream, which is a delivery cache: the log keeps what it loses.

use std::time::Duration;

use async_nats::{
    HeaderMap,
    jetstream::{
        self,
        stream::{Config, DiscardPolicy},
    },
};
use futures::future::try_join_all;

use super::read::Entry;

/// Name of the stream that carries a service's events.
#[must_use]
pub fn stream_name(service: &str) -> String {
    format!("TONGXIN_{}", service.to_uppercase())
}

/// The stream that carries a service's events. It may lose any of them, so a week and a
/// gibibyte are only what a consumer can be behind before it reads the log instead.
#[must_use]
pub fn stream_config(service: &str) -> Config {
    Config {
        name: stream_name(service),
        subjects: vec![format!("tongxin.{service}.>")],
        max_age: Duration::from_hours(7 * 24),
        max_bytes: 1 << 30,
        discard: DiscardPolicy::Old,
        allow_direct: true,
        ..Config::default()
    }
}

/// Publishes entries in their order and waits until the broker has stored all.
pub(super) async fn publish(
    jetstream: &jetstream::Context,
    service: &str,
    epoch: i64,
    entries: &[Entry],
) -> Result<(), jetstream::context::PublishError> {
    let mut acks = Vec::with_capacity(entries.len());
    for entry in entries {
        let message = jetstream
            .publish_with_headers(
                entry.event_type.clone(),
                headers(service, epoch, entry),
                entry.payload.clone().into(),
            )
            .await?;
        acks.push(message.into_future());
    }
    try_join_all(acks).await?;
    Ok(())
}

/// CloudEvents in NATS' binary mode, the trace, and the place in the log.
fn headers(service: &str, epoch: i64, entry: &Entry) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", entry.event_id.to_string());
    headers.insert("ce-specversion", "1.0");
    headers.insert("ce-id", entry.event_id.to_string());
    headers.insert("ce-source", format!("/tongxin/{service}"));
    headers.insert("ce-type", entry.event_type.as_str());
    headers.insert("ce-subject", format!("{}/{}", entry.aggregate_type, entry.aggregate_id));
    headers.insert("ce-time", entry.record_time.to_rfc3339());
    headers.insert("tx-seq", entry.seq.unwrap_or_default().to_string());
    headers.insert("tx-epoch", epoch.to_string());
    headers.insert("tx-region", entry.region_code.to_string());
    headers.insert("tx-occurred-on", entry.occurred_on.to_string());
    if !entry.trace_parent.is_empty() {
        headers.insert("traceparent", entry.trace_parent.as_str());
    }
    headers
}
