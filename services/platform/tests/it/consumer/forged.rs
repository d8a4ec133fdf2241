//! Forged messages of the broker have no effect: events count only if the source's log has them.

use std::sync::Arc;

use prost::Message as _;
use sqlx::{AssertSqlSafe, Executor as _};
use uuid::Uuid;

use super::*;
use crate::support::{Counted, SOURCE, Totals, everywhere, owner};
use tongxin_platform::consumer::{Consumer, Envelope};

const SUBJECT: &str = "tongxin.sample.tongxin.sample.v1.Counted";

/// A source, and a consumer that follows it through the broker and is level with it.
async fn followed() -> (Source, Follower) {
    let source = Source::start().await;
    let follower = Follower::start(&source).await;
    flows_through_the_broker(&source).await;
    follower.has_each_event_once(&source).await;
    source.published(source.head().await.seq).await;
    (source, follower)
}

/// The newest event in the broker.
async fn newest_message(source: &Source) -> (HeaderMap, Vec<u8>) {
    let stream = stream(source).await.unwrap();
    let message = stream.get_raw_message(stream.cached_info().state.last_sequence).await.unwrap();
    (message.headers, message.payload.to_vec())
}

fn with(mut headers: HeaderMap, changes: &[(&'static str, &str)]) -> HeaderMap {
    // Otherwise the broker would drop it as a duplicate.
    headers.insert("Nats-Msg-Id", Uuid::new_v4().to_string());
    for (name, value) in changes {
        headers.insert(*name, *value);
    }
    headers
}

async fn publish(source: &Source, headers: HeaderMap, payload: &[u8]) {
    let published = source.jetstream.publish_with_headers(SUBJECT, headers, payload.to_vec().into()).await;
    published.unwrap().await.unwrap();
}

fn raised_by(by: i64) -> Vec<u8> {
    Counted { tally_id: "roads".to_owned(), by, reached: by }.encode_to_vec()
}

/// Exactly the events of the log have had their effect.
async fn is_as_the_log_says(source: &Source, follower: &Follower) {
    follower.has_each_event_once(source).await;
    let counted = everywhere(&source.pool, "SELECT sum(reached)::bigint FROM tally").await;
    assert_eq!(follower.totals().await.iter().map(|(_, total)| total).sum::<i64>(), counted);
    assert_eq!(follower.parked().await, []);
}

async fn refused(follower: &Follower, messages: u64) {
    eventually("the messages are refused", || async { follower.progress.refused_messages() >= messages }).await;
    assert_eq!(follower.progress.refused_messages(), messages);
}

/// Parses a message like a consumer.
fn read(headers: HeaderMap, payload: &[u8]) -> Option<Envelope> {
    Envelope::from_message(SOURCE, &message(SUBJECT, headers, payload))
}

/// A consumer in the state of the follower, which is given messages by hand.
async fn at_the_place_of(follower: &Follower, source: &Source) -> Consumer<Totals> {
    let (pool, handler) = (follower.pool.clone(), Arc::clone(&follower.handler));
    let mut consumer = Consumer::new((CONSUMER, SOURCE), pool, source.jetstream.clone(), source.log_client(), handler);
    consumer.resume().await.unwrap();
    consumer
}

/// Events of the source that the consumer has not applied.
async fn untaken(source: &Source, consumer: &mut Consumer<Totals>, events: i64) -> Vec<Envelope> {
    source.published(consumer.resume().await.unwrap() + events).await;
    consumer.next_of_log().await.unwrap()
}

#[tokio::test]
async fn an_event_of_the_next_number_that_somebody_else_published_counts_nowhere() {
    let (source, follower) = followed().await;
    let before = source.head().await;
    let (headers, _) = newest_message(&source).await;
    let (id, next) = (Uuid::new_v4().to_string(), (before.seq + 1).to_string());
    let headers = with(headers, &[("ce-id", &id), ("tx-seq", &next), ("tx-version", &next)]);
    // Anybody can compute the next hash of the chain.
    let hash = read(headers.clone(), &raised_by(5_000)).unwrap().link(&before.hash);
    let headers = with(headers, &[("tx-hash", &hex::encode(hash))]);
    publish(&source, headers, &raised_by(5_000)).await;
    refused(&follower, 1).await;
    assert_eq!(follower.cursor().await, (before.epoch, before.seq), "it is no event");

    count_some(&source).await;
    is_as_the_log_says(&source, &follower).await;
    assert_eq!(follower.progress.refused_messages(), 1, "true ones are not refused");
    assert!(!follower.progress.has_log_gone_back());
}

/// Changes each field of a copy of the next event.
#[tokio::test]
async fn an_event_that_was_altered_in_anything_is_read_from_the_log() {
    let (source, mut follower) = followed().await;
    follower.stop().await;
    for change in [
        ("ce-id", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ("ce-subject", "tally/wells"),
        ("ce-subject", "road/roads"),
        ("ce-time", "2025-06-01T04:00:00.000001Z"),
        ("tx-version", "77"),
        ("tx-actor", "somebody"),
        ("tx-region", "441823107202"),
        ("tx-occurred-on", "2025-06-02"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("Nats-Msg-Id", "with another payload"),
    ] {
        source.count("roads", 1).await;
        let mut consumer = at_the_place_of(&follower, &source).await;
        let reached = consumer.resume().await.unwrap();
        source.published(reached + 1).await;
        let (headers, payload) = newest_message(&source).await;
        let payload = if change.0 == "Nats-Msg-Id" { raised_by(7) } else { payload };
        let altered = read(with(headers, &[change]), &payload).unwrap();
        assert_eq!(altered.seq, reached + 1);
        consumer.offer(vec![altered]).await.unwrap();
        assert_eq!(consumer.progress().refused_messages(), 1, "{change:?}");
        is_as_the_log_says(&source, &follower).await;
    }
}

/// Different spellings of an event are the same event.
#[tokio::test]
async fn an_event_that_is_written_in_another_way_is_the_same() {
    let (source, mut follower) = followed().await;
    follower.stop().await;
    source.count("roads", 1).await;
    let mut consumer = at_the_place_of(&follower, &source).await;
    let events = untaken(&source, &mut consumer, 1).await;
    let (headers, payload) = newest_message(&source).await;
    let id = headers.get("ce-id").unwrap().as_str().to_uppercase();
    let other =
        with(headers, &[("ce-id", &id), ("tx-region", "0441823107201"), ("ce-time", "2025-06-01T12:00:00+08:00")]);
    let other = read(other, &payload).unwrap();
    assert_eq!([&other], &events.iter().collect::<Vec<_>>()[..]);
    consumer.offer(vec![other]).await.unwrap();
    assert_eq!(consumer.progress().refused_messages(), 0);
    is_as_the_log_says(&source, &follower).await;
}

#[tokio::test]
async fn forged_events_beside_true_ones_are_refused_and_the_true_ones_count_once() {
    let (source, mut follower) = followed().await;
    follower.stop().await;
    let forged =
        |event: &Envelope, seq| Envelope { event_id: Uuid::new_v4(), seq, payload: raised_by(5_000), ..event.clone() };
    for round in 0..6 {
        count_some(&source).await;
        let mut consumer = at_the_place_of(&follower, &source).await;
        let events = untaken(&source, &mut consumer, 6).await;
        let (first, last) = (events[0].seq, events[5].seq);
        let (batch, expected) = match round {
            // The next number before the real one.
            0 => ([vec![forged(&events[0], first)], events.clone()].concat(), 1),
            // In the middle, and beyond the end.
            1 => ([events.clone(), vec![forged(&events[0], first + 2), forged(&events[0], last + 1)]].concat(), 2),
            // Instead of the real one.
            2 => ([vec![forged(&events[0], first)], events[1..].to_vec()].concat(), 1),
            // Swapped: each of two in place of the other.
            3 => {
                let mut swapped = events.clone();
                swapped.swap(0, 1);
                (swapped[0].seq, swapped[1].seq) = (first, first + 1);
                (swapped, 2)
            }
            // Far ahead, of an unknown epoch, and of an earlier one.
            4 => {
                let far = [(1, i64::MAX), (i64::MAX, 1), (0, 1)];
                (far.map(|(epoch, seq)| Envelope { epoch, ..forged(&events[0], seq) }).to_vec(), 2)
            }
            // All are real.
            _ => (events.clone(), 0),
        };
        let mut batch = batch;
        batch.sort_by_key(Envelope::place);
        consumer.offer(batch).await.unwrap();
        assert_eq!(consumer.progress().refused_messages(), expected, "round {round}");
        is_as_the_log_says(&source, &follower).await;
    }
}

#[tokio::test]
async fn a_flood_of_messages_that_are_no_events_does_not_keep_true_ones_from_counting() {
    let (source, follower) = followed().await;
    let (headers, payload) = newest_message(&source).await;
    let mut expected = 0;
    for round in 0..40 {
        let next = (source.head().await.seq + 1).to_string();
        let strange = [
            with(headers.clone(), &[("tx-seq", &next), ("ce-source", "/tongxin/shop")]),
            with(headers.clone(), &[("tx-seq", &next), ("ce-type", "tongxin.shop.v1.OrderPlaced")]),
            with(headers.clone(), &[("tx-seq", "next")]),
            HeaderMap::new(),
        ];
        expected += strange.len() as u64;
        for headers in strange {
            publish(&source, headers, &payload).await;
        }
        // Almost as large as a message may be.
        publish(&source, with(headers.clone(), &[("tx-actor", "")]), &vec![0; 1_000_000]).await;
        if round % 4 == 0 {
            count_some(&source).await;
        }
    }
    is_as_the_log_says(&source, &follower).await;
    eventually("all are seen", || async { follower.progress.refused_messages() >= expected }).await;
    assert_eq!(follower.progress.refused_messages(), expected);
    assert_eq!(follower.progress.lag(), 0);
}

#[tokio::test]
async fn a_message_that_is_larger_than_an_event_is_not_taken() {
    let (source, follower) = followed().await;
    let (headers, _) = newest_message(&source).await;
    let large = vec![0; 1 << 20];
    assert!(read(headers.clone(), &large).is_some());
    assert!(read(headers.clone(), &[large.clone(), vec![0]].concat()).is_none());
    let refused = match source.jetstream.publish_with_headers(SUBJECT, headers, large.into()).await {
        Ok(published) => published.await.is_err(),
        Err(_) => true,
    };
    assert!(refused, "the broker takes it");
    count_some(&source).await;
    is_as_the_log_says(&source, &follower).await;
}

#[tokio::test]
async fn true_messages_that_somebody_deleted_are_read_from_the_log() {
    let (source, mut follower) = followed().await;
    follower.stop().await;
    count_some(&source).await;
    source.published(follower.cursor().await.1 + 6).await;
    let stream = stream(&source).await.unwrap();
    let last = stream.cached_info().state.last_sequence;
    for sequence in [last - 4, last - 3, last] {
        stream.delete_message(sequence).await.unwrap();
    }
    follower.go_on(&source);
    is_as_the_log_says(&source, &follower).await;
}

/// A proof from one cursor is not valid from another: a second replica may have advanced it meanwhile.
#[tokio::test]
async fn events_that_another_replica_has_taken_meanwhile_are_not_taken_again() {
    let (source, mut follower) = followed().await;
    follower.stop().await;
    count_some(&source).await;
    let mut slow = at_the_place_of(&follower, &source).await;
    let events = untaken(&source, &mut slow, 6).await;
    let mut fast = at_the_place_of(&follower, &source).await;
    fast.offer(events[..3].to_vec()).await.unwrap();
    slow.offer(events).await.unwrap();
    is_as_the_log_says(&source, &follower).await;
}

/// A change of the log that only a superuser can make, by disabling all triggers.
async fn tamper(source: &Source, statement: &'static str) {
    let tampering = format!("SET session_replication_role = replica; {statement}");
    owner(&source.database).await.execute(AssertSqlSafe(tampering)).await.unwrap();
}

#[tokio::test]
async fn a_log_that_does_not_continue_what_was_handled_is_not_followed() {
    let (source, mut follower) = followed().await;
    follower.stop().await;
    let before = follower.cursor().await;
    count_some(&source).await;
    source.published(before.1 + 6).await;
    tamper(&source, "UPDATE event SET payload = payload || payload WHERE seq = (SELECT max(seq) - 2 FROM event)").await;
    follower.go_on(&source);
    eventually("the consumer notices", || async { follower.progress.has_log_gone_back() }).await;
    assert_eq!(follower.cursor().await, before, "and takes nothing of it");

    let undo = "UPDATE event SET payload = substr(payload, 1, length(payload) / 2) WHERE seq = (SELECT max(seq) - 2 FROM event)";
    tamper(&source, undo).await;
    is_as_the_log_says(&source, &follower).await;
    eventually("it is said no more", || async { !follower.progress.has_log_gone_back() }).await;
}
