//! The broker's side: a durable pull consumer, made again whenever it is gone.

use std::time::Duration;

use async_nats::jetstream::{
    self, Message,
    consumer::{AckPolicy, DeliverPolicy, pull},
};
use futures::{StreamExt as _, stream::ReadyChunks};

use super::Envelope;
use crate::{broker::durable_name, log::stream_name};

/// Most events of one transaction.
const BATCH: usize = 500;

/// Bytes that are on their way to us at most, whatever was published.
const BYTES: usize = 16 << 20;

/// The broker has to show a sign of life this often.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Events as the broker delivers them.
pub(super) struct Messages {
    source: &'static str,
    stream: ReadyChunks<pull::Stream>,
}

/// Some events, in the order of the log.
pub(super) struct Batch {
    pub events: Vec<Envelope>,
    /// Messages that are not like those that the source publishes.
    pub strange: u64,
    /// The messages that they came in, for acknowledgement.
    pub messages: Vec<Message>,
    /// Whether the broker has more than another batch to deliver.
    pub many_more: bool,
}

/// Subscribes, after making the consumer if it is gone. The stream is made by the source.
///
/// A consumer that is made new begins with what comes next: the log has what was before.
pub(super) async fn messages(
    jetstream: &jetstream::Context,
    name: &'static str,
    source: &'static str,
) -> Result<Messages, String> {
    // Without asking about the stream, which is not ours to know.
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
    /// The next events. A message that is no event of the source is acknowledged and left out.
    ///
    /// # Errors
    /// When the consumer is gone, or the broker gives no sign of life.
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

/// Ends the broker's consumer and what it still has to deliver.
pub(super) async fn skip(jetstream: &jetstream::Context, name: &str, source: &str) -> Result<(), String> {
    let ended = jetstream.delete_consumer_from_stream(durable_name(name, source), stream_name(source)).await;
    ended.map(drop).map_err(text)
}

/// Tells the broker that the messages need not come again.
pub(super) async fn acknowledge(messages: Vec<Message>) -> Result<(), String> {
    for message in messages {
        message.ack().await.map_err(text)?;
    }
    Ok(())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
