//! What the projection does when the broker or an event is not as it should be.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tongxin_platform::testing::eventually;

use crate::support::{
    CITY, COUNTY, Stage, VILLAGE, VILLAGE_ELSEWHERE,
    events::{activity, assisted, covered, register},
};

const TODAY: &str = "2025-12-31";

#[tokio::test]
async fn an_event_that_is_delivered_again_counts_once() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    stage.pairing.state_all(&[activity(VILLAGE, "2025-05-01"), activity(VILLAGE, "2025-05-02")]).await;
    stage.settle().await;

    let jetstream = &stage.world.shared.jetstream;
    let mut stream = jetstream.get_stream("TONGXIN_PAIRING").await.unwrap();
    let messages = stream.info().await.unwrap().state.messages;
    assert_eq!(messages, 3);
    for seq in 1..=messages {
        let message = stream.get_raw_message(seq).await.unwrap();
        // Without its identifier, for which the broker itself would drop it.
        let headers = message.headers.iter().filter(|(name, _)| name.to_string() != "Nats-Msg-Id");
        let headers = headers.map(|(name, values)| (name.clone(), values[0].clone())).collect();
        jetstream.publish_with_headers(message.subject, headers, message.payload).await.unwrap().await.unwrap();
    }
    stage.pairing.state(&activity(VILLAGE, "2025-05-03")).await;
    stage.settle().await;
    assert_eq!(stage.figure(CITY, TODAY, "joint_activities").await, 3);
    stage.assert_no_drift().await;
    stage.stop().await;
}

#[tokio::test]
async fn a_broker_that_lost_everything_changes_no_figure() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    stage.pairing.state(&activity(VILLAGE, "2025-05-01")).await;
    stage.settle().await;

    stage.nats.halt().await;
    std::fs::remove_dir_all(stage.nats.store_dir()).unwrap();
    stage.pairing.state(&activity(VILLAGE, "2025-05-02")).await;
    stage.nats.resume().await;
    stage.pairing.state(&activity(VILLAGE, "2025-05-03")).await;
    stage.settle().await;
    assert_eq!(stage.figure(CITY, TODAY, "joint_activities").await, 3);

    // And events flow again through the broker.
    eventually("the stream is there", || async {
        stage.world.shared.jetstream.get_stream("TONGXIN_PAIRING").await.is_ok()
    })
    .await;
    stage.pairing.state(&activity(VILLAGE, "2025-05-04")).await;
    stage.settle().await;
    assert_eq!(stage.figure(CITY, TODAY, "joint_activities").await, 4);
    stage.assert_no_drift().await;
    stage.stop().await;
}

#[tokio::test]
async fn an_event_that_cannot_be_counted_waits_and_the_others_go_on() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    stage.pairing.state(&Novelty {}).await;
    stage.pairing.state_all(&[assisted(VILLAGE, "2025-01-01", 2), assisted(VILLAGE, "2025-01-01", 1)]).await;
    stage.pairing.state(&covered(VILLAGE, "triple", "2025-01-01", 1)).await;
    stage.pairing.state(&covered(VILLAGE, "party", "2025-01-01", 1)).await;
    stage.settle().await;

    assert_eq!(stage.figure(CITY, TODAY, "assisted_villages").await, 1);
    assert_eq!(stage.figure(CITY, TODAY, "villages_party_paired").await, 1);
    let parked: Vec<(String, String)> = sqlx::query_as("SELECT event_type, reason FROM parked_event ORDER BY seq")
        .fetch_all(&stage.pool)
        .await
        .unwrap();
    assert_eq!(parked.len(), 2, "{parked:?}");
    assert!(parked[0].1.contains("does not know the event tongxin.pairing.v1.Novelty"), "{parked:?}");
    assert!(parked[1].1.contains("neither +1 nor -1"), "{parked:?}");
    stage.assert_no_drift().await;
    stage.stop().await;
}

#[tokio::test]
async fn a_log_that_begins_anew_is_counted_anew() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    stage.pairing.state_all(&[activity(VILLAGE, "2025-05-01"), activity(VILLAGE_ELSEWHERE, "2025-05-02")]).await;
    stage.settle().await;

    let mut owner = PgConnection::connect(&stage.pairing.database.owner_url).await.unwrap();
    sqlx::query("UPDATE log_head SET epoch = epoch + 1").execute(&mut owner).await.unwrap();
    eventually("the new epoch is counted", || async {
        let counted: (i64, i64) = sqlx::query_as("SELECT epoch, seq FROM cursor").fetch_one(&stage.pool).await.unwrap();
        counted == (2, 3)
    })
    .await;
    assert_eq!(stage.figure(CITY, TODAY, "joint_activities").await, 2);
    assert_eq!(stage.figure(COUNTY, TODAY, "joint_activities").await, 1);
    stage.assert_no_drift().await;
    stage.stop().await;
}

#[tokio::test]
async fn figures_are_those_of_the_old_log_until_the_new_one_is_counted() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    stage.pairing.state_all(&vec![activity(VILLAGE, "2025-05-01"); 4_000]).await;
    stage.settle().await;
    stage.pairing.restore(2_001).await;
    let progress = stage.progress.as_ref().unwrap();
    let mut read_meanwhile = 0;
    let poll = async {
        loop {
            let is_counting = progress.lag() > 0;
            match stage.figure(CITY, TODAY, "joint_activities").await {
                4_000 => read_meanwhile += i32::from(is_counting && progress.lag() > 0),
                figure => break figure,
            }
        }
    };
    let figure = tokio::time::timeout(Duration::from_mins(1), poll).await.expect("the new log is counted");
    assert_eq!(figure, 2_000);
    assert!(read_meanwhile > 0, "nothing was read while the new log was counted");
    stage.assert_no_drift().await;
    stage.stop().await;
}

#[tokio::test]
async fn a_roll_up_that_was_changed_is_found() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    stage.pairing.state(&activity(VILLAGE, "2025-05-01")).await;
    stage.settle().await;

    let mut owner = PgConnection::connect(&stage.database.owner_url).await.unwrap();
    let change = "UPDATE rollup_month SET amount = amount + 1 WHERE region_code = 441800000000";
    sqlx::query(change).execute(&mut owner).await.unwrap();
    let drift = tongxin_gateway::store::rollups::drift(&mut owner).await.unwrap();
    assert_eq!(drift.len(), 1);
    assert_eq!((drift[0].period.as_str(), drift[0].expected, drift[0].found), ("month", 1, 2));

    tongxin_gateway::store::rollups::rebuild(&mut owner).await.unwrap();
    assert_eq!(tongxin_gateway::store::rollups::drift(&mut owner).await.unwrap(), []);
    stage.stop().await;
}

#[tokio::test]
async fn the_gateway_is_ready_when_it_has_counted() {
    let stage = Stage::set().await;
    let url = format!("http://{}/readyz", stage.admin);
    eventually("it is ready", || async { reqwest::get(&url).await.unwrap().status() == 200 }).await;
    assert!(stage.progress.as_ref().unwrap().age_seconds().unwrap() < 30.0);
    stage.stop().await;
}

/// Whoever holds the cursor holds the consumer up. What it says is what `/metrics` shows, where all tests of this
/// binary are one consumer.
#[tokio::test]
async fn a_consumer_that_is_held_up_says_how_far_it_is_behind() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    stage.settle().await;
    let progress = stage.progress.as_ref().unwrap();
    eventually("nothing is left to count", || async { progress.lag() == 0 }).await;

    let mut owner = PgConnection::connect(&stage.database.owner_url).await.unwrap();
    let mut held_up = owner.begin().await.unwrap();
    sqlx::query("SELECT FROM cursor FOR UPDATE").execute(&mut *held_up).await.unwrap();
    stage.pairing.state_all(&[activity(VILLAGE, "2025-05-01"), activity(VILLAGE, "2025-05-02")]).await;
    eventually("it is behind by what was stated", || async { progress.lag() == 2 }).await;
    held_up.rollback().await.unwrap();
    eventually("it has caught up", || async { progress.lag() == 0 }).await;
    stage.settle().await;
    assert_eq!(stage.figure(CITY, TODAY, "joint_activities").await, 2);
    stage.stop().await;
}

/// An event of a newer pairing.
#[derive(Clone, PartialEq, prost::Message)]
struct Novelty {}

impl prost::Name for Novelty {
    const NAME: &'static str = "Novelty";
    const PACKAGE: &'static str = "tongxin.pairing.v1";
}
