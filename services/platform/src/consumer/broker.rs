//! The broker's side: a durable pull consumer, made again whenever it is gone.

use std::time::Duration;

use async_nats::jetstream::{
    self, Message,
    consumer::{AckPolicy, DeliverPolicy, pull},
};
use futures::{StreamExt as _, stream::ReadyChunks};

use super::Envelope;
use crate::log::{stream_config, stream_name};

/// Most events of one transaction.
const BATCH: usize = 500;

/// The broker has to show a sign of life this often.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Events as the broker delivers them, and their messages for acknowledgement.
pub(super) struct Messages {
    source: &'static str,
    stream: ReadyChunks<pull::Stream>,
}

/// Subscribes, after making stream and consumer if they are gone.
///
/// A consumer that is made new begins with what comes next: the log has what was before.
pub(super) async fn messages(
    jetstream: &jetstream::Context,
    name: &'static str,
    source: &'static str,
) -> Result<Messages, String> {
    let stream = jetstream.get_or_create_stream(stream_config(source)).await.map_err(text)?;
    let durable = format!("{name}-{source}");
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
        .heartbeat(HEARTBEAT)
        .expires(HEARTBEAT * 4)
        .messages()
        .await
        .map_err(text)?;
    Ok(Messages { source, stream: stream.ready_chunks(BATCH) })
}

impl Messages {
    /// The next events. A message that is no event of ours is acknowledged and left out.
    ///
    /// # Errors
    /// When the consumer is gone, or the broker gives no sign of life.
    pub(super) async fn next(&mut self) -> Result<(Vec<Envelope>, Vec<Message>), String> {
        let batch = self.stream.next().await.ok_or("the subscription ended")?;
        let messages = batch.into_iter().collect::<Result<Vec<_>, _>>().map_err(text)?;
        let mut events: Vec<_> =
            messages.iter().filter_map(|message| Envelope::from_message(self.source, message)).collect();
        // Redeliveries come between newer ones.
        events.sort_by_key(|event| (event.epoch, event.seq));
        events.dedup_by_key(|event| (event.epoch, event.seq));
        Ok((events, messages))
    }
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
