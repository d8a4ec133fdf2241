//! The broker loses things, and all is made again without a restart.

use std::{fs, sync::Arc};

use rustix::process::Signal;

use super::*;
use crate::consumer::Consumer;

async fn following() -> (Source, Follower) {
    let source = Source::start().await;
    let follower = Follower::start(&source).await;
    flows_through_the_broker(&source).await;
    follower.has_each_event_once(&source).await;
    (source, follower)
}

#[tokio::test]
async fn a_stream_that_was_deleted_is_made_again() {
    let (source, follower) = following().await;
    source.jetstream.delete_stream(stream_name(SOURCE)).await.unwrap();
    count_some(&source).await;
    flows_through_the_broker(&source).await;
    follower.has_each_event_once(&source).await;
}

#[tokio::test]
async fn a_consumer_that_was_deleted_is_made_again() {
    let (source, follower) = following().await;
    stream(&source).await.unwrap().delete_consumer(&durable()).await.unwrap();
    count_some(&source).await;
    flows_through_the_broker(&source).await;
    follower.has_each_event_once(&source).await;
}

#[tokio::test]
async fn a_broker_that_comes_back_empty_is_filled_again() {
    let (source, follower) = following().await;
    source.nats.halt().await;
    fs::remove_dir_all(source.nats.store_dir()).unwrap();
    count_some(&source).await;
    source.nats.resume().await;
    flows_through_the_broker(&source).await;
    follower.has_each_event_once(&source).await;
}

#[tokio::test]
async fn a_store_that_is_deleted_under_the_broker_costs_nothing() {
    let (source, follower) = following().await;
    let before = source.nats.state().pid().unwrap();
    fs::remove_dir_all(source.nats.store_dir()).unwrap();
    count_some(&source).await;
    source.nats.restarted(before).await;
    flows_through_the_broker(&source).await;
    follower.has_each_event_once(&source).await;
}

#[tokio::test]
async fn what_the_broker_forgot_while_a_consumer_was_away_comes_from_the_log() {
    let (source, mut follower) = following().await;
    follower.stop().await;
    count_some(&source).await;
    source.published(source.head().await.seq).await;
    stream(&source).await.unwrap().purge().await.unwrap();
    follower.go_on(&source);
    follower.has_each_event_once(&source).await;
}

#[tokio::test]
async fn a_gap_in_the_delivery_is_filled_from_the_log() {
    let source = Source::start().await;
    let mut follower = Follower::start(&source).await;
    count_some(&source).await;
    follower.settle(&source).await;
    follower.stop().await;
    count_some(&source).await;
    source.published(12).await;

    let (log, handler) = (source.log_client(), Arc::clone(&follower.handler));
    let jetstream = source.jetstream.clone();
    let mut consumer = Consumer::new((CONSUMER, SOURCE), follower.pool.clone(), jetstream, log, handler);
    let mut parts = consumer.log.read(SOURCE, 0).await.unwrap();
    let events = parts.next().await.unwrap().unwrap();
    // The broker lost 7 and 8 and repeats 2; then it delivers what was read in the meantime.
    consumer.take(vec![events[1].clone(), events[8].clone()]).await.unwrap();
    consumer.take(events[6..].to_vec()).await.unwrap();
    follower.has_each_event_once(&source).await;
}

#[tokio::test]
async fn while_the_broker_hangs_changes_go_on_and_the_log_serves() {
    let (source, follower) = following().await;
    let drained_before = source.head().await.seq;
    source.published(drained_before).await;
    source.signal_broker(Signal::STOP);
    for _ in 0..3 {
        count_some(&source).await;
        follower.has_each_event_once(&source).await;
    }
    assert_eq!(source.head().await.published_seq, drained_before);
    assert_eq!(follower.progress.lag(), 0, "the consumer says that it is behind");

    source.signal_broker(Signal::CONT);
    source.published(source.head().await.seq).await;
    flows_through_the_broker(&source).await;
    follower.has_each_event_once(&source).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_is_stopped_again_and_again_misses_nothing() {
    let (source, mut follower) = following().await;
    for _ in 0..5 {
        let stopping = async {
            follower.stop().await;
            follower.go_on(&source);
        };
        tokio::join!(count_some(&source), stopping);
    }
    follower.has_each_event_once(&source).await;
}

/// Events that come after a long time away do not wait until the broker has delivered the old ones.
#[tokio::test]
async fn what_the_log_has_told_is_not_delivered_by_the_broker_again() {
    const MISSED: i64 = 2_000;
    let (source, mut follower) = following().await;
    follower.stop().await;
    source.count_many("many", MISSED).await;
    source.published(MISSED).await;
    follower.go_on(&source);
    follower.settle(&source).await;
    count_some(&source).await;
    flows_through_the_broker(&source).await;
    delivered(&source, 1).await;
    let delivered = delivery(&source).await.unwrap().delivered.consumer_sequence;
    assert!(delivered < MISSED.unsigned_abs() / 2, "the broker delivered {delivered} messages");
    follower.has_each_event_once(&source).await;
}
