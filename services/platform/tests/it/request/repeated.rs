//! Repeated requests.

use std::collections::HashSet;

use futures::future::{join, join_all};
use uuid::Uuid;

use super::*;
use crate::support::Count;
use tongxin_platform::{error::ErrorKind, region::RegionCode};

/// A request as it comes through the door.
fn ask(caller: &Caller, request_id: Uuid, by: i64) -> (Call, Count) {
    let message = CountRequest { request_id: request_id.to_string(), tally_id: "wells".to_owned(), by };
    let (call, message) = open(caller, "/Count", message).unwrap();
    (call, count(&message.tally_id, message.by))
}

async fn answer(writer: &Writer<()>, (call, command): (Call, Count)) -> i64 {
    writer.execute::<_, CountResponse>(call, command).await.unwrap().reached
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_times_the_same_request_at_once_is_one_effect_and_one_answer() {
    let database = database().await;
    let (_, writer) = writer(&database).await;
    answer(&writer, ask(&clerk("clerk"), Uuid::new_v4(), 100)).await;
    let request_id = Uuid::new_v4();
    let twins = (0..50).map(|_| answer(&writer, ask(&clerk("clerk"), request_id, 1)));
    assert_eq!(join_all(twins).await, [101; 50]);
    assert_eq!(effects(&database).await, (101, 2, 2));
}

#[tokio::test]
async fn a_request_has_its_answer_after_a_crash_too() {
    let database = database().await;
    let call = ask(&clerk("clerk"), Uuid::new_v4(), 1);
    {
        let (pool, writer) = writer(&database).await;
        assert_eq!(answer(&writer, call.clone()).await, 1);
        answer(&writer, ask(&clerk("clerk"), Uuid::new_v4(), 5)).await;
        pool.close().await;
    }
    let (_, writer) = writer(&database).await;
    assert_eq!(answer(&writer, call).await, 1);
    assert_eq!(effects(&database).await, (6, 2, 2));
}

/// The response may reveal anything in the caller's region at that time.
#[tokio::test]
async fn whoever_works_elsewhere_now_is_not_given_the_answer_again() {
    let database = database().await;
    let (_, writer) = writer(&database).await;
    let request_id = Uuid::new_v4();
    let of = |region: &str| Caller::new("clerk", RegionCode::parse(region).unwrap(), HashSet::new());
    assert_eq!(answer(&writer, ask(&of("441823107000"), request_id, 1)).await, 1);
    for elsewhere in ["441823108000", "441823107001", "440000000000"] {
        let (call, command) = ask(&of(elsewhere), request_id, 1);
        let again = writer.execute::<_, CountResponse>(call, command).await;
        match elsewhere {
            "440000000000" => assert_eq!(again.unwrap().reached, 1, "it lies in the new region"),
            _ => assert_eq!(again.unwrap_err().stated().reason, "REQUEST_ID_REUSED", "{elsewhere}"),
        }
    }
    assert_eq!(effects(&database).await, (1, 1, 1));
}

#[tokio::test]
async fn an_identifier_is_not_good_for_another_request() {
    let database = database().await;
    let (_, writer) = writer(&database).await;
    let request_id = Uuid::new_v4();
    answer(&writer, ask(&clerk("clerk"), request_id, 1)).await;

    let (call, command) = ask(&clerk("clerk"), request_id, 2);
    let refused = writer.execute::<_, CountResponse>(call, command.clone()).await.unwrap_err();
    assert_eq!((refused.stated().kind, refused.stated().reason), (ErrorKind::AlreadyExists, "REQUEST_ID_REUSED"));
    assert_eq!(Status::from(refused).message(), "request_id was used for another request: choose a new one");

    let message = CountRequest { request_id: request_id.to_string(), tally_id: "wells".to_owned(), by: 1 };
    let (call, _) = open(&clerk("clerk"), "/Discount", message).unwrap();
    let refused = writer.execute::<_, CountResponse>(call, command).await.unwrap_err();
    assert_eq!(refused.stated().reason, "REQUEST_ID_REUSED", "the same body for another method");
    assert_eq!(effects(&database).await, (1, 1, 1));
}

#[tokio::test]
async fn two_callers_may_choose_the_same_identifier() {
    let database = database().await;
    let (_, writer) = writer(&database).await;
    let request_id = Uuid::new_v4();
    assert_eq!(answer(&writer, ask(&clerk("one"), request_id, 1)).await, 1);
    assert_eq!(answer(&writer, ask(&clerk("other"), request_id, 2)).await, 3);
    assert_eq!(answer(&writer, ask(&clerk("one"), request_id, 1)).await, 1);
    assert_eq!(effects(&database).await, (3, 2, 2));
}

#[tokio::test]
async fn each_part_of_a_batch_is_carried_out_once() {
    let database = database().await;
    let (_, writer) = writer(&database).await;
    let request_id = Uuid::new_v4().to_string();
    let parts = [("wells", 1), ("wells", 1), ("roads", 2)];
    for _ in 0..2 {
        let mut batch = batch_of("/CountAll", &request_id, "");
        for ((tally_id, by), reached) in parts.into_iter().zip([1, 2, 2]) {
            let message = CountRequest { tally_id: tally_id.to_owned(), by, ..CountRequest::default() };
            let call = batch.next_part(&message);
            assert_eq!(answer(&writer, (call, count(tally_id, by))).await, reached);
        }
    }
    assert_eq!(effects(&database).await, (4, 3, 1 + 3), "a batch is kept, too");
}

/// A batch whose options are those of a tally.
fn batch_of(method: &str, request_id: &str, options: &str) -> Call {
    let options = CountRequest { tally_id: options.to_owned(), ..CountRequest::default() };
    Call::of_batch(clerk("clerk"), MethodPath(method.to_owned()), (request_id, &options)).unwrap()
}

fn part_of(method: &str, request_id: Uuid, options: &str) -> Call {
    let message = CountRequest { tally_id: "wells".to_owned(), by: 1, ..CountRequest::default() };
    batch_of(method, &request_id.to_string(), options).next_part(&message)
}

#[tokio::test]
async fn an_identifier_is_not_used_for_a_batch_and_for_something_else() {
    let database = database().await;
    let (_, writer) = writer(&database).await;
    let (batch, single) = (Uuid::new_v4(), Uuid::new_v4());
    answer(&writer, (part_of("/CountAll", batch, ""), count("wells", 1))).await;
    answer(&writer, ask(&clerk("clerk"), single, 1)).await;
    let strays = [
        part_of("/CountAll", single, ""),
        part_of("/DiscountAll", batch, ""),
        part_of("/CountAll", batch, "all or nothing"),
        ask(&clerk("clerk"), batch, 1).0,
    ];
    for call in strays {
        let refused = writer.execute::<_, CountResponse>(call, count("wells", 1)).await.unwrap_err();
        assert_eq!(refused.stated().reason, "REQUEST_ID_REUSED");
    }
    assert_eq!(effects(&database).await, (2, 2, 3));
}

#[tokio::test]
async fn of_a_batch_and_something_else_at_the_same_moment_one_is_carried_out() {
    let database = database().await;
    let (_, writer) = writer(&database).await;
    for round in 1..=20 {
        let request_id = Uuid::new_v4();
        let (single, command) = ask(&clerk("clerk"), request_id, 1);
        let outcomes = join(
            writer.execute::<_, CountResponse>(part_of("/CountAll", request_id, ""), count("roads", 1)),
            writer.execute::<_, CountResponse>(single, command),
        );
        let (batch, single) = outcomes.await;
        let refused = if batch.is_ok() { single } else { batch };
        assert_eq!(refused.unwrap_err().stated().reason, "REQUEST_ID_REUSED");
        assert_eq!(effects(&database).await.0, round);
    }
}
