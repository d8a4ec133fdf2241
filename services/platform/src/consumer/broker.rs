//! The broker's side: a durable pull consumer, recreated whenever it is gone.

use std::time::Duration;

use async_nats::jetstream::{
    self, Message,
    consumer::{AckPolicy, DeliverPolicy, pull},
};
use futures::{StreamExt as _, stream::ReadyChunks};

use super::Envelope;
use crate::{broker::durable_name, log::stream_name};

/// Maximum number of events in one transaction.
const BATCH: usize = 500;

/// Maximum number of bytes in flight to us, however much was published.
const BYTES: usize = 16 << 20;

/// Interval within which the broker has to send a heartbeat.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Events as the broker delivers them.
pub(super) struct Messages {
    source: &'static str,
    stream: ReadyChunks<pull::Stream>,
}

/// Some events, in the order of the log.
pub(super) struct Batch {
    pub events: Vec<Envelope>,
    /// Messages that the source does not publish in this form.
    pub strange: u64,
    /// The messages of these events, for acknowledgement.
    pub messages: Vec<Message>,
    /// Whether the broker has more than another batch to deliver.
    pub many_more: bool,
}

/// Subscribes, after creating the consumer if it is gone. The source creates the stream.
///
/// A new consumer begins with what is published from now on: the log has the rest.
pub(super) async fn messages(
    jetstream: &jetstream::Context,
    name: &'static str,
    source: &'static str,
) -> Result<Messages, String> {
    // Without asking for the stream's state, which is not ours to read.
    let stream = jetstream.get_stream_no_info(stream_name(source)).await.map_err(text)?;
    let durable = durable_name(name, source);
    let config = pull::Config {
        durable_name: Some(durable.clone()),
        deliver_policy: DeliverPolicy::New,
        ack_policy: AckPolicy::Explicit,
        ack_wait: Duration::from_secs(30),
        max_ack_pending: 10_000,
        ..pull::Config::default()
    };
    let consumer = stream
        .get_or_create_consumer(&durable, config)
        .await
        .map_err(|error| format!("{}: {error}", stream_name(source)))?;
    let stream = consumer
        .stream()
        .max_messages_per_batch(BATCH)
        .max_bytes_per_batch(BYTES)
        .heartbeat(HEARTBEAT)
        .expires(HEARTBEAT * 4)
        .messages()
        .await
        .map_err(text)?;
    Ok(Messages { source, stream: stream.ready_chunks(BATCH) })
}

impl Messages {
    /// The next events. A message that is no event of the source is acknowledged and skipped.
    ///
    /// # Errors
    /// If the consumer is gone, or the broker sends no heartbeat.
    pub(super) async fn next(&mut self) -> Result<Batch, String> {
        let batch = self.stream.next().await.ok_or("the subscription ended")?;
        let messages = batch.into_iter().collect::<Result<Vec<_>, _>>().map_err(text)?;
        let mut events: Vec<_> =
            messages.iter().filter_map(|message| Envelope::from_message(self.source, message)).collect();
        let strange = (messages.len() - events.len()) as u64;
        // Redeliveries come between newer ones.
        events.sort_by_key(Envelope::place);
        events.dedup();
        let pending = messages.last().and_then(|message| message.info().ok()).map_or(0, |info| info.pending);
        Ok(Batch { events, strange, messages, many_more: pending > BATCH as u64 })
    }
}

/// Deletes the broker's consumer, and with it everything that it still has to deliver.
pub(super) async fn skip(jetstream: &jetstream::Context, name: &str, source: &str) -> Result<(), String> {
    let ended = jetstream.delete_consumer_from_stream(durable_name(name, source), stream_name(source)).await;
    ended.map(drop).map_err(text)
}

/// Acknowledges messages, so that they are not delivered again.
pub(super) async fn acknowledge(messages: Vec<Message>) -> Result<(), String> {
    for message in messages {
        message.ack().await.map_err(text)?;
    }
    Ok(())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
