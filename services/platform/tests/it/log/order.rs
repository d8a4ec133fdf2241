//! Numbers and versions under concurrent writes.

use std::collections::HashMap;

use futures::future::join_all;

use super::*;
use crate::support::{CountResponse, Follower, VILLAGE, region};
use tongxin_platform::testing::eventually;

/// Writers on few aggregates while a transaction that began before them stays open: it commits last, with the smallest
/// ids.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_writers_and_a_long_transaction_leave_no_gap_and_no_inversion() {
    const WRITERS: usize = 32;
    const EACH: usize = 8;
    let source = Source::start().await;
    let mut follower = Follower::start(&source).await;

    let mut long = tongxin_platform::db::Scope::region(region(VILLAGE)).write(&source.pool).await.unwrap();
    let (context, policy) = (context(), ());
    let slow = count("slow", 1);
    tongxin_platform::request::Command::apply(slow, &mut long, &context, &policy).await.unwrap();

    let write = async |writer: usize| {
        for step in 0..EACH {
            let tally = format!("tally {}", (writer + step) % 4);
            let counted = source.writer.execute::<_, CountResponse>(new_call(), count(&tally, 1)).await;
            counted.unwrap();
        }
    };
    join_all((0..WRITERS).map(write)).await;
    let sequenced = "SELECT count(*) FROM event WHERE seq IS NOT NULL";
    let total = i64::try_from(WRITERS * EACH).unwrap();
    eventually("the relay does not wait for the long transaction", || async {
        everywhere(&source.pool, sequenced).await == total
    })
    .await;
    long.commit().await.unwrap();

    follower.has_each_event_once(&source).await;
    assert_eq!(source.head().await.seq, total + 1);
    // The value of a tally is also the version of its event.
    let mut reached_before: HashMap<String, i64> = HashMap::new();
    for (seq, tally, reached) in follower.seen().await {
        let before = reached_before.insert(tally.clone(), reached).unwrap_or_default();
        assert_eq!(reached, before + 1, "{tally} at event {seq}");
    }
    let wrong = "SELECT count(*) FROM event WHERE version <> (
        SELECT count(*) FROM event AS earlier WHERE earlier.aggregate_id = event.aggregate_id AND earlier.seq <= event.seq)";
    assert_eq!(everywhere(&source.pool, wrong).await, 0, "versions are not contiguous in the order of the log");
    follower.stop().await;
}

#[tokio::test]
async fn two_relays_at_once_number_each_event_once() {
    let source = Source::never_woken().await;
    for number in 0..50 {
        source.count(&format!("tally {}", number % 5), 1).await;
        let (one, other) = tokio::join!(
            tongxin_platform::log::number_waiting(&source.pool),
            tongxin_platform::log::number_waiting(&source.pool),
        );
        one.unwrap();
        other.unwrap();
    }
    let verified = tongxin_platform::log::verify(&source.pool, |_| {}).await.unwrap();
    assert_eq!(verified.events, 50);
}
