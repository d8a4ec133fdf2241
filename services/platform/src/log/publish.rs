//! Publishes events to JetStream, which only caches deliveries: the log keeps everything.

use std::{fmt::Write as _, time::Duration};

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

/// The subjects of a service's events.
#[must_use]
pub fn subjects(service: &str) -> String {
    subject(service, ">")
}

/// The subject of an event by its full name. The service comes first, not only in the package: several services may
/// publish events of one package, and each is restricted to its own subjects.
#[must_use]
pub fn subject(service: &str, event_type: &str) -> String {
    format!("tongxin.{service}.{event_type}")
}

/// Maximum size of a message, headers included.
pub(crate) const MESSAGE_BYTES: i32 = 1 << 20;

/// The stream of a service's events. It may lose any of them: a week and a gibibyte are how far a consumer can be
/// behind before it reads the log instead.
#[must_use]
pub fn stream_config(service: &str) -> Config {
    Config {
        name: stream_name(service),
        subjects: vec![subjects(service)],
        max_age: Duration::from_hours(7 * 24),
        max_bytes: 1 << 30,
        max_message_size: MESSAGE_BYTES,
        discard: DiscardPolicy::Old,
        allow_direct: true,
        ..Config::default()
    }
}

/// Publishes entries in order and waits until the broker has stored all.
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
                subject(service, &entry.event_type),
                headers(service, epoch, entry),
                entry.payload.clone().into(),
            )
            .await?;
        acks.push(message.into_future());
    }
    try_join_all(acks).await?;
    Ok(())
}

/// The headers: CloudEvents in NATS' binary mode, the trace, the place in the log, and the other fields of the hash
/// chain.
fn headers(service: &str, epoch: i64, entry: &Entry) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", entry.event_id.to_string());
    headers.insert("ce-specversion", "1.0");
    headers.insert("ce-id", entry.event_id.to_string());
    headers.insert("ce-source", format!("/tongxin/{service}"));
    headers.insert("ce-type", entry.event_type.as_str());
    headers.insert("ce-subject", format!("{}/{}", entry.aggregate_type, escaped(&entry.aggregate_id)));
    headers.insert("ce-time", entry.record_time.to_rfc3339());
    headers.insert("tx-seq", entry.seq.unwrap_or_default().to_string());
    headers.insert("tx-epoch", epoch.to_string());
    headers.insert("tx-version", entry.version.to_string());
    headers.insert("tx-actor", escaped(&entry.actor));
    headers.insert("tx-region", entry.region_code.to_string());
    headers.insert("tx-occurred-on", entry.occurred_on.to_string());
    if !entry.trace_parent.is_empty() {
        headers.insert("traceparent", entry.trace_parent.as_str());
    }
    headers
}

/// Escapes a text for a header as in CloudEvents: space, quotation mark, percent sign and everything but printable
/// ASCII are percent-encoded.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'%') {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// The text of a header; `None` if it is not escaped as we do it.
pub(crate) fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        if *first == b'%' {
            let (digits, others) = others.split_at_checked(2)?;
            bytes.push(*hex::decode(digits).ok()?.first()?);
            rest = others;
        } else {
            bytes.push(*first);
            rest = others;
        }
    }
    String::from_utf8(bytes).ok()
}

#[test]
fn any_text_goes_through_a_header() {
    for text in ["", "service:shop", "张三", "a b\r\nce-id: x", "100%", "\"q\"", "/:@"] {
        let escaped = escaped(text);
        assert!(escaped.bytes().all(|byte| byte.is_ascii_graphic()), "{escaped}");
        assert_eq!(unescaped(&escaped).as_deref(), Some(text));
    }
    assert_eq!(unescaped("100%"), None);
    assert_eq!(unescaped("%E4"), None);
}
