//! The broker loses data, and everything recovers without a restart.

use std::{fs, path::Path, sync::Arc};

use rustix::process::Signal;

use super::*;
use crate::support::everywhere;
use tongxin_platform::consumer::Consumer;

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

/// As after a crash of its machine: the broker loses what it confirmed last, and reuses the numbers for other messages.
#[tokio::test]
async fn an_older_copy_of_the_brokers_store_changes_nothing() {
    let (source, follower) = following().await;
    let last_message = || async { stream(&source).await.map_or(0, |stream| stream.cached_info().state.last_sequence) };
    source.published(source.head().await.seq).await;
    source.nats.halt().await;
    let older = tempfile::tempdir().unwrap();
    copy(&source.nats.store_dir(), older.path());
    source.nats.resume().await;
    count_some(&source).await;
    count_some(&source).await;
    follower.has_each_event_once(&source).await;
    source.published(source.head().await.seq).await;
    let before = last_message().await;

    source.nats.halt().await;
    fs::remove_dir_all(source.nats.store_dir()).unwrap();
    copy(older.path(), &source.nats.store_dir());
    count_some(&source).await;
    source.nats.resume().await;
    eventually("the broker is back where it was", || async { (1..before).contains(&last_message().await) }).await;
    for _ in 0..3 {
        count_some(&source).await;
    }
    source.published(source.head().await.seq).await;
    eventually("numbers of messages were used again", || async { last_message().await >= before }).await;
    delivered(&source, 1).await;
    follower.has_each_event_once(&source).await;
    let counted = everywhere(&source.pool, "SELECT sum(reached)::bigint FROM tally").await;
    assert_eq!(follower.totals().await.iter().map(|(_, total)| total).sum::<i64>(), counted);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_service_that_starts_without_a_broker_takes_changes_and_delivers_them_once_it_is_there() {
    let source = Source::without_broker().await;
    let follower = Follower::start(&source).await;
    for _ in 0..3 {
        count_some(&source).await;
    }
    follower.has_each_event_once(&source).await;
    assert_eq!(source.head().await.published_seq, 0);

    source.nats.resume().await;
    source.published(18).await;
    eventually("the broker has every event", || async {
        stream(&source).await.is_some_and(|stream| stream.cached_info().state.messages >= 18)
    })
    .await;
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
    let events = consumer.next_of_log().await.unwrap();
    // The broker lost 7 and 8 and repeats 2; then it delivers events that were read from the log meanwhile.
    consumer.offer(vec![events[1].clone(), events[8].clone()]).await.unwrap();
    consumer.offer(events[6..].to_vec()).await.unwrap();
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

/// After a long absence, new events do not wait until the broker has delivered the old ones.
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
