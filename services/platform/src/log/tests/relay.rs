//! How events come to the broker.

use std::time::{Duration, Instant};

use super::*;
use crate::log::{stream_config, stream_name};

#[tokio::test]
async fn a_relay_that_nobody_wakes_finds_events_by_looking() {
    let source = Source::never_woken().await;
    for number in 1..=3 {
        source.count("wells", 1).await;
        source.published(number).await;
    }
}

/// Between looks there are 200 ms: who waits for them needs four seconds for this.
#[tokio::test]
async fn a_relay_is_woken_after_each_commit() {
    let source = Source::start().await;
    source.count("wells", 1).await;
    source.published(1).await;
    let begun = Instant::now();
    for number in 2..=21 {
        source.count("wells", 1).await;
        source.published(number).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "it took {:?}", begun.elapsed());
}

#[tokio::test]
async fn the_relay_goes_on_from_where_another_one_ended() {
    let source = Source::start().await;
    source.count("wells", 1).await;
    source.published(1).await;
    let mut stream = source.jetstream.get_stream(stream_name("sample")).await.unwrap();
    assert_eq!(stream.info().await.unwrap().state.messages, 1);

    // As after a crash between publishing and marking: the broker drops the second one.
    sqlx::query("UPDATE log_head SET published_seq = 0").execute(&source.pool).await.unwrap();
    source.count("wells", 1).await;
    source.published(2).await;
    assert_eq!(stream.info().await.unwrap().state.messages, 2);
}

#[tokio::test]
async fn changes_are_accepted_and_numbered_without_a_broker() {
    let source = Source::start().await;
    source.nats.halt().await;
    source.count("wells", 1).await;
    source.count("wells", 1).await;
    crate::testing::eventually("both are numbered", || async { source.head().await.seq == 2 }).await;
    assert_eq!(source.head().await.published_seq, 0);

    source.nats.resume().await;
    source.published(2).await;
    let stream = source.jetstream.get_stream(stream_name("sample")).await.unwrap();
    assert_eq!(stream.cached_info().config.subjects, stream_config("sample").subjects);
    assert_eq!(stream.cached_info().state.messages, 2);
}
