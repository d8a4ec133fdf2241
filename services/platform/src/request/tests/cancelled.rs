//! Callers who go away.

use std::time::Duration;

use futures::future::join_all;

use super::*;
use crate::testing::eventually;

/// Handlers are dropped after 0 to 5 ms, as tonic does when a caller's deadline passes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_write_of_impatient_callers_is_there_and_none_is_half_done() {
    const REQUESTS: u64 = 1_000;
    let database = database().await;
    let (_, writer) = writer(&database).await;
    let impatient = |number: u64| {
        let writer = writer.clone();
        let handler = async move {
            let command = count(&format!("tally {number}"), 1);
            writer.execute::<_, CountResponse>(new_call(), command).await
        };
        let patience = Duration::from_micros(number * 7919 % 5_000);
        async move { tokio::time::timeout(patience, handler).await }
    };
    let mut acknowledged = Vec::new();
    for first in (0..REQUESTS).step_by(4) {
        let answers = join_all((first..first + 4).map(impatient)).await;
        let good = |(number, answer): (u64, Result<Result<_, _>, _>)| answer.ok().map(|answer| (number, answer));
        for (number, answer) in (first..).zip(answers).filter_map(good) {
            answer.unwrap();
            acknowledged.push(format!("tally {number}"));
        }
    }
    assert!(!acknowledged.is_empty(), "nobody was patient enough for this test to say anything");

    let mut owner = crate::sample::owner(&database).await;
    let missing = "SELECT unnest($1::text[]) EXCEPT SELECT tally_id FROM tally";
    let missing: Vec<String> = sqlx::query_scalar(missing).bind(&acknowledged).fetch_all(&mut owner).await.unwrap();
    assert_eq!(missing, Vec::<String>::new(), "acknowledged writes are gone");
    let (tallies, events, answers) = effects(&database).await;
    assert_eq!((tallies, events), (answers, answers), "writes are half done");
}

/// A caller who leaves while the change is under way does not undo it.
#[tokio::test]
async fn a_change_goes_on_when_its_caller_has_gone() {
    let database = database().await;
    let (_, writer) = writer(&database).await;
    let mut owner = crate::sample::owner(&database).await;
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
