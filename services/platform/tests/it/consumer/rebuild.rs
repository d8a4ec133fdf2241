//! Repeated events, new epochs, and projections built from nothing.

use async_nats::HeaderMap;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};

use super::*;
use crate::support::{Counted, event, everywhere};
use tongxin_platform::log::{self, stream_config};

/// The broker drops duplicates within the last 100 ms only, so that repetitions reach the consumer.
async fn forgetful(source: &Source) {
    let mut config = stream_config(SOURCE);
    config.duplicate_window = std::time::Duration::from_millis(100);
    source.jetstream.update_stream(config).await.unwrap();
}

#[tokio::test]
async fn a_log_that_is_published_again_changes_nothing() {
    let source = Source::start().await;
    let follower = Follower::start(&source).await;
    count_some(&source).await;
    follower.has_each_event_once(&source).await;
    source.published(6).await;
    let totals = follower.totals().await;

    forgetful(&source).await;
    let before = stream(&source).await.unwrap().cached_info().state.messages;
    eventually("the broker has the whole log again", || async {
        sqlx::query("UPDATE log_head SET published_seq = 0").execute(&source.pool).await.unwrap();
        stream(&source).await.unwrap().cached_info().state.messages >= before + 6
    })
    .await;
    source.published(6).await;
    delivered(&source, 6).await;
    assert_eq!(follower.totals().await, totals);
    follower.has_each_event_once(&source).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_projection_that_is_built_from_nothing_under_writes_equals_the_one_that_grew() {
    let source = Source::start().await;
    let grown = Follower::start(&source).await;
    for _ in 0..10 {
        count_some(&source).await;
    }
    let writing = async {
        for _ in 0..20 {
            count_some(&source).await;
        }
    };
    let (rebuilt, ()) = tokio::join!(Follower::start(&source), writing);
    rebuilt.settle(&source).await;
    grown.settle(&source).await;
    assert_eq!(rebuilt.seen().await, grown.seen().await);
    assert_eq!(rebuilt.totals().await, grown.totals().await);
    let counted = everywhere(&source.pool, "SELECT sum(reached)::bigint FROM tally").await;
    assert_eq!(grown.totals().await.iter().map(|(_, total)| total).sum::<i64>(), counted);
}

#[tokio::test]
async fn an_empty_log_is_level_at_once() {
    let source = Source::start().await;
    let follower = Follower::start(&source).await;
    eventually("the consumer knows the epoch", || async { follower.cursor().await == (1, 0) }).await;
    delivered(&source, 0).await;
    assert!(follower.progress.age_seconds().is_some());
    flows_through_the_broker(&source).await;
}

/// Restores the source's database to an earlier state, as from a backup, with a new epoch.
async fn restore(source: &Source, seq: i64) -> i64 {
    let mut owner = put_back(source, seq).await;
    log::begin_epoch(&mut owner).await.unwrap()
}

/// Restores the source's database to an earlier state, as from a backup, without a new epoch.
async fn put_back(source: &Source, seq: i64) -> PgConnection {
    let mut owner = crate::support::owner(&source.database).await;
    let restore = format!(
        "
        SET session_replication_role = replica;
        BEGIN;
        DELETE FROM event WHERE seq > {seq};
        UPDATE log_head
        SET epoch = 1,
            seq = {seq},
            published_seq = {seq},
            hash = coalesce((SELECT hash FROM event WHERE seq = {seq}), '');
        UPDATE tally SET reached = (SELECT count(*) FROM event WHERE aggregate_id = tally_id);
        COMMIT;
        SET session_replication_role = origin"
    );
    owner.execute(AssertSqlSafe(restore)).await.unwrap();
    owner
}

/// Reading takes three seconds here, and a stream may last for one: twelve megabytes are more than is in flight by
/// then.
#[tokio::test]
async fn a_log_that_takes_longer_to_read_than_an_answer_may_last_is_read_to_its_end() {
    let source = Source::curt().await;
    let mut follower = Follower::start(&source).await;
    follower.settle(&source).await;
    follower.stop().await;
    let large = Counted { tally_id: "x".repeat(200_000), by: 1, reached: 1 };
    for _ in 0..60 {
        source.tell("wells", event("wells", &large)).await;
    }
    source.published(60).await;
    stream(&source).await.unwrap().purge().await.unwrap();
    follower.handler.slow_down();
    follower.go_on(&source);
    follower.has_each_event_once(&source).await;
}

#[tokio::test]
async fn a_log_that_begins_a_new_epoch_is_followed_from_its_start() {
    let source = Source::start().await;
    let follower = Follower::start(&source).await;
    count_some(&source).await;
    follower.has_each_event_once(&source).await;
    for seq in [3, 0] {
        let epoch = restore(&source, seq).await;
        eventually("the consumer has begun anew", || async { follower.cursor().await == (epoch, seq) }).await;
        follower.has_each_event_once(&source).await;
    }
    count_some(&source).await;
    follower.has_each_event_once(&source).await;
    let totals = [("tally 0".to_owned(), 3), ("tally 1".to_owned(), 3)];
    assert_eq!(follower.totals().await, totals);
}

#[tokio::test]
async fn a_log_that_went_back_without_a_new_epoch_is_not_taken_for_level() {
    let source = Source::start().await;
    let mut follower = Follower::start(&source).await;
    count_some(&source).await;
    follower.has_each_event_once(&source).await;
    let mut owner = put_back(&source, 3).await;
    eventually("the consumer notices", || async { follower.progress.has_log_gone_back() }).await;
    assert_eq!(follower.cursor().await, (1, 6), "and keeps what it has");
    // It has grown to the length of the old log, but is another one.
    count_some(&source).await;
    source.published(9).await;
    follower.stop().await;
    follower.go_on(&source);
    eventually("the consumer notices", || async { follower.progress.has_log_gone_back() }).await;
    assert_eq!(follower.cursor().await, (1, 6), "and takes nothing of it");
    let epoch = log::begin_epoch(&mut owner).await.unwrap();
    eventually("the consumer has begun anew", || async { follower.cursor().await == (epoch, 9) }).await;
    assert!(!follower.progress.has_log_gone_back());
    follower.has_each_event_once(&source).await;
}

#[tokio::test]
async fn parked_events_of_an_older_epoch_are_forgotten() {
    let source = Source::start().await;
    let follower = Follower::start(&source).await;
    source.count("wells", crate::support::DREADED).await;
    follower.settle(&source).await;
    assert_eq!(follower.parked().await.len(), 1);
    let epoch = restore(&source, 0).await;
    eventually("the consumer has begun anew", || async { follower.cursor().await == (epoch, 0) }).await;
    assert_eq!(follower.parked().await, []);
}

#[tokio::test]
async fn an_event_of_the_new_log_that_cannot_be_handled_waits_and_the_others_count() {
    let source = Source::start().await;
    let follower = Follower::start(&source).await;
    for by in [1, crate::support::DREADED, 2] {
        source.count("wells", by).await;
        source.count("roads", by.min(1)).await;
    }
    follower.settle(&source).await;
    let (parked, totals) = (follower.parked().await, follower.totals().await);
    assert_eq!(parked.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [3, 5]);
    let epoch = restore(&source, 6).await;
    eventually("the consumer has begun anew", || async { follower.cursor().await == (epoch, 6) }).await;
    assert_eq!((follower.parked().await, follower.totals().await), (parked, totals));
}

/// Whoever can publish at the broker cannot make a consumer delete its data: only the log states the epoch.
#[tokio::test]
async fn a_stray_message_of_the_broker_changes_nothing() {
    let source = Source::start().await;
    let follower = Follower::start(&source).await;
    flows_through_the_broker(&source).await;
    let stray = |epoch: &str, seq: &str| {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("ce-id", "stray"),
            ("ce-type", "tongxin.sample.v1.Counted"),
            ("ce-subject", "tally/roads"),
            ("tx-region", "441823107201"),
            ("tx-occurred-on", "2025-06-01"),
            ("tx-epoch", epoch),
            ("tx-seq", seq),
        ] {
            headers.insert(name, value);
        }
        headers
    };
    for headers in [HeaderMap::new(), stray("9", "1"), stray("0", "1"), stray("1", "1"), stray("one", "2")] {
        let published =
            source.jetstream.publish_with_headers("tongxin.sample.tongxin.sample.v1.Counted", headers, "".into());
        published.await.unwrap().await.unwrap();
    }
    flows_through_the_broker(&source).await;
    delivered(&source, 6).await;
    follower.has_each_event_once(&source).await;
}
