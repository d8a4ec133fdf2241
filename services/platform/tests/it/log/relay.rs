//! Publishing to the broker.

use rustix::process::Signal;
use sqlx::Executor as _;

use super::*;
use tongxin_platform::{
    log::{stream_config, stream_name},
    testing::eventually,
};

#[tokio::test]
async fn a_relay_that_nobody_wakes_finds_events_by_looking() {
    let source = Source::never_woken().await;
    for number in 1..=3 {
        source.count("wells", 1).await;
        source.published(number).await;
    }
}

/// Committing takes a while here: a relay that is woken before the commit finds nothing, and would poll again only in
/// an hour.
#[tokio::test]
async fn a_relay_is_woken_after_each_commit_and_not_before() {
    let source = Source::only_woken().await;
    let mut owner = crate::support::owner(&source.database).await;
    let slow_commit = "
        CREATE FUNCTION wait_a_little() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION wait_a_little()";
    owner.execute(slow_commit).await.unwrap();
    for number in 1..=10 {
        source.count("wells", 1).await;
        source.published(number).await;
    }
}

#[tokio::test]
async fn the_relay_goes_on_from_where_another_one_ended() {
    let source = Source::start().await;
    source.count("wells", 1).await;
    source.published(1).await;
    let mut stream = source.jetstream.get_stream(stream_name("sample")).await.unwrap();
    assert_eq!(stream.info().await.unwrap().state.messages, 1);

    // As after a crash between publishing and marking: the broker drops the duplicate.
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
    eventually("both are numbered", || async { source.head().await.seq == 2 }).await;
    assert_eq!(source.head().await.published_seq, 0);

    source.nats.resume().await;
    source.published(2).await;
    let stream = source.jetstream.get_stream(stream_name("sample")).await.unwrap();
    assert_eq!(stream.cached_info().config.subjects, stream_config("sample").subjects);
    assert_eq!(stream.cached_info().state.messages, 2);
}

/// The relay numbers further events while it waits for the broker's answer to the first one.
#[tokio::test]
async fn a_broker_that_hangs_keeps_no_event_from_its_number() {
    let source = Source::patient().await;
    source.count("wells", 1).await;
    source.published(1).await;
    source.signal_broker(Signal::STOP);
    for number in 2..=4 {
        source.count("wells", 1).await;
        eventually("it has its number", || async { source.head().await.seq == number }).await;
    }
    assert_eq!(source.head().await.published_seq, 1);
    source.signal_broker(Signal::CONT);
    source.published(4).await;
}
