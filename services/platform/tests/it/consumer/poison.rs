//! Events that cannot be handled.

use super::*;
use crate::support::{Counted, DREADED, event};

/// Has the name of a count, but its first field has another type.
#[derive(Clone, PartialEq, prost::Message)]
struct Garbled {
    #[prost(double, tag = "1")]
    number: f64,
}

impl prost::Name for Garbled {
    const NAME: &'static str = "Counted";
    const PACKAGE: &'static str = "tongxin.sample.v1";
}

/// An event of a newer version of the source.
#[derive(Clone, PartialEq, prost::Message)]
struct Unheard {}

impl prost::Name for Unheard {
    const NAME: &'static str = "Unheard";
    const PACKAGE: &'static str = "tongxin.sample.v1";
}

fn counted(by: i64) -> Counted {
    Counted { by, ..Counted::default() }
}

/// Four tallies that each have an invalid event between two valid ones, and one tally without.
async fn poisoned() -> (Source, Follower) {
    let source = Source::start().await;
    let follower = Follower::start(&source).await;
    let bad = [
        ("garbled", event("garbled", &Garbled { number: 1.0 })),
        ("unheard", event("unheard", &Unheard {})),
        ("refused", event("refused", &counted(-5))),
        ("dreaded", event("dreaded", &counted(DREADED))),
    ];
    for (tally_id, event) in bad {
        source.count(tally_id, 1).await;
        source.tell(tally_id, event).await;
        source.count("sound", 1).await;
        source.count(tally_id, 1).await;
    }
    source.count("sound", 1).await;
    follower.settle(&source).await;
    (source, follower)
}

#[tokio::test]
async fn a_bad_event_is_parked_with_its_reason_and_only_its_aggregate_waits() {
    let (source, follower) = poisoned().await;
    let waiting = "an earlier event of the aggregate is parked";
    for ((seq, reason), (expected_seq, expected)) in follower.parked().await.into_iter().zip([
        (2, "wire type"),
        (4, waiting),
        (6, "tongxin.sample.v1.Unheard is not known"),
        (8, waiting),
        (10, "total_not_negative"),
        (12, waiting),
        (14, "the handler panicked"),
        (16, waiting),
    ]) {
        assert!(seq == expected_seq && reason.contains(expected), "{seq}: {reason}, not {expected_seq}: {expected}");
    }
    assert_eq!(follower.parked().await.len(), 8);
    let totals = [("dreaded", 1), ("garbled", 1), ("refused", 1), ("sound", 5), ("unheard", 1)];
    assert_eq!(follower.totals().await, totals.map(|(tally, total)| (tally.to_owned(), total)));

    source.count("sound", 1).await;
    source.count("garbled", 1).await;
    follower.settle(&source).await;
    assert_eq!(follower.parked().await.len(), 9);
    assert_eq!(follower.totals().await[3], ("sound".to_owned(), 6));
}

#[tokio::test]
async fn parked_events_are_handled_in_their_order_once_the_handler_is_repaired() {
    let (source, mut follower) = poisoned().await;
    follower.stop().await;
    follower.handler.repair();
    follower.go_on(&source);
    eventually("nothing is parked", || async { follower.parked().await.is_empty() }).await;
    for tally in ["garbled", "unheard", "refused", "dreaded", "sound"] {
        let seen = follower.seen().await;
        let order: Vec<i64> = seen.iter().filter(|(_, of, _)| of == tally).map(|(seq, _, _)| *seq).collect();
        assert!(order.is_sorted_by(|before, after| before < after), "{tally}: {order:?}");
    }
    let mut seen: Vec<i64> = follower.seen().await.into_iter().map(|(seq, _, _)| seq).collect();
    seen.sort_unstable();
    assert_eq!(seen, (1..=source.head().await.seq).collect::<Vec<_>>());

    source.count("dreaded", 1).await;
    follower.settle(&source).await;
    assert_eq!(follower.parked().await, []);
}

/// More parked events than are read at once.
#[tokio::test]
async fn many_events_behind_a_bad_one_wait_and_then_follow() {
    let source = Source::start().await;
    let mut follower = Follower::start(&source).await;
    source.tell("wells", event("wells", &Unheard {})).await;
    for _ in 0..510 {
        source.count("wells", 1).await;
    }
    follower.settle(&source).await;
    assert_eq!(follower.parked().await.len(), 511);
    follower.stop().await;
    follower.handler.repair();
    follower.go_on(&source);
    eventually("nothing is parked", || async { follower.parked().await.is_empty() }).await;
    follower.has_each_event_once(&source).await;
}
