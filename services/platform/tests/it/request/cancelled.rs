//! Callers that go away.

use std::time::{Duration, Instant};

use futures::future::join_all;

use super::*;
use tongxin_platform::testing::eventually;

/// Handlers are dropped after at most three times the duration of a request here, as tonic does when a caller's
/// deadline passes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_of_impatient_callers_is_carried_out_whole_and_none_acknowledged_is_lost() {
    const UNHURRIED: u32 = 5;
    const REQUESTS: u32 = 1_000;
    let database = database().await;
    let (_, writer) = writer(&database).await;
    let mut usual = Duration::ZERO;
    for _ in 0..UNHURRIED {
        let begun = Instant::now();
        writer.execute::<_, CountResponse>(new_call(), count("unhurried", 1)).await.unwrap();
        usual = begun.elapsed();
    }
    let impatient = async |number: u32| {
        let command = count(&format!("tally {number}"), 1);
        let handler = writer.execute::<_, CountResponse>(new_call(), command);
        let patience = usual.mul_f64(f64::from(number * 7919 % 3_000) / 1_000.0);
        tokio::time::timeout(patience, handler).await.ok()
    };
    let (mut acknowledged, mut owner) = (0, crate::support::owner(&database).await);
    for first in (0..REQUESTS).step_by(4) {
        let answers = join_all((first..first + 4).map(&impatient)).await;
        for (number, answer) in (first..).zip(answers) {
            let Some(answer) = answer else { continue };
            assert_eq!(answer.unwrap().reached, 1);
            acknowledged += 1;
            let kept = "SELECT EXISTS (SELECT FROM tally WHERE tally_id = $1)";
            let kept: Result<bool, _> =
                sqlx::query_scalar(kept).bind(format!("tally {number}")).fetch_one(&mut owner).await;
            assert!(kept.unwrap(), "request {number} was acknowledged and is gone");
        }
    }
    assert!((1..REQUESTS).contains(&acknowledged), "{acknowledged} acknowledged: this says nothing");

    eventually("all that was begun is done", || async {
        let (tallies, events, answers) = effects(&database).await;
        assert_eq!((tallies, events), (answers, answers), "a request is half done");
        answers == i64::from(UNHURRIED + REQUESTS)
    })
    .await;
}

/// A caller that leaves while the change is in progress does not undo it.
#[tokio::test]
async fn a_change_goes_on_when_its_caller_has_gone() {
    let database = database().await;
    let (_, writer) = writer(&database).await;
    let mut owner = crate::support::owner(&database).await;
    sqlx::query("BEGIN").execute(&mut owner).await.unwrap();
    sqlx::query("LOCK TABLE event IN EXCLUSIVE MODE").execute(&mut owner).await.unwrap();

    let call = new_call();
    let handler = writer.execute::<_, CountResponse>(call.clone(), count("wells", 1));
    assert!(tokio::time::timeout(Duration::from_millis(50), handler).await.is_err());
    sqlx::query("COMMIT").execute(&mut owner).await.unwrap();

    eventually("the change is there", || async { effects(&database).await == (1, 1, 1) }).await;
    let again: CountResponse = writer.execute(call, count("wells", 1)).await.unwrap();
    assert_eq!(again.reached, 1);
}

/// The same for commands that are executed each time.
#[tokio::test]
async fn what_is_done_each_time_goes_on_without_its_caller_too() {
    let database = database().await;
    let (_, writer) = writer(&database).await;
    let mut owner = crate::support::owner(&database).await;
    sqlx::query("BEGIN").execute(&mut owner).await.unwrap();
    sqlx::query("LOCK TABLE event IN EXCLUSIVE MODE").execute(&mut owner).await.unwrap();

    let caller = clerk("clerk");
    let handler = writer.execute_each_time(&caller, count("wells", 1));
    assert!(tokio::time::timeout(Duration::from_millis(50), handler).await.is_err());
    sqlx::query("COMMIT").execute(&mut owner).await.unwrap();

    eventually("the change is there", || async { effects(&database).await == (1, 1, 0) }).await;
    writer.execute_each_time(&caller, count("wells", 1)).await.unwrap();
    assert_eq!(effects(&database).await, (2, 2, 0));
}
