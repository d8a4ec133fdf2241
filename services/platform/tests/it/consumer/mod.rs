//! Every event of the source takes effect once and in order, whatever the broker does.

mod forged;
mod heal;
mod poison;
mod rebuild;
mod shared;

use async_nats::{
    HeaderMap, Message,
    jetstream::{
        consumer::{Info, PullConsumer},
        stream,
    },
};

use crate::support::{CONSUMER, Follower, SOURCE, Source};
use tongxin_platform::{log::stream_name, testing::eventually};

async fn stream(source: &Source) -> Option<stream::Stream> {
    source.jetstream.get_stream(stream_name(SOURCE)).await.ok()
}

fn durable() -> String {
    format!("{CONSUMER}-{SOURCE}")
}

/// The state of the broker's consumer; `None` if it or its stream is gone.
async fn delivery(source: &Source) -> Option<Info> {
    let mut consumer: PullConsumer = stream(source).await?.get_consumer(&durable()).await.ok()?;
    consumer.info().await.ok().cloned()
}

/// Waits until the broker has delivered everything, and at least this many messages.
async fn delivered(source: &Source, at_least: u64) {
    eventually("the broker has delivered", || async {
        delivery(source).await.is_some_and(|info| {
            info.num_pending == 0 && info.num_ack_pending == 0 && info.delivered.consumer_sequence >= at_least
        })
    })
    .await;
}

/// Writes events until one is delivered by the broker, which shows that stream and consumer exist again.
async fn flows_through_the_broker(source: &Source) {
    eventually("events come from the broker", || async {
        source.count("roads", 1).await;
        delivery(source).await.is_some_and(|info| info.delivered.consumer_sequence > 0)
    })
    .await;
}

/// A message as a consumer receives it.
fn message(subject: &str, headers: HeaderMap, payload: &[u8]) -> Message {
    Message {
        subject: subject.into(),
        reply: None,
        length: payload.len(),
        payload: payload.to_vec().into(),
        headers: Some(headers),
        status: None,
        description: None,
    }
}

async fn count_some(source: &Source) {
    for number in 0..6 {
        source.count(&format!("tally {}", number % 2), 1).await;
    }
}
