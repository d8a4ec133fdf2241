//! Callers who do not wait: what they were told is so, and what they were not told is whole.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use tongxin_platform::testing::eventually;
use tongxin_proto::pairing::v1::{self, OrganisationKind::School, OrganisationSide::Recipient};
use tonic::{Code, Request};

use crate::support::{TOWN, TestApp, draft, new_request_id};

const CALLS: usize = 5_000;

fn registration(number: usize) -> v1::RegisterOrganisationRequest {
    let organisation = draft(&format!("第{number}小学"), School, Recipient, TOWN);
    v1::RegisterOrganisationRequest { request_id: new_request_id(), organisation: Some(organisation) }
}

/// Connections of the test's database that sit in a transaction and do nothing, for a second or more.
async fn forgotten_transactions(app: &TestApp) -> i64 {
    let query = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND state LIKE 'idle in transaction%'
            AND clock_timestamp() - state_change > interval '1 second'";
    sqlx::query_scalar(query).fetch_one(&app.owner).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_five_thousand_calls_with_deadlines_of_milliseconds_none_is_half_done() {
    let app = TestApp::with_register().await;
    let client = app.hq();
    let calls = stream::iter(0..CALLS).map(|number| {
        let (mut client, message) = (client.clone(), registration(number));
        async move {
            // Every tenth caller waits: its write goes over connections that others have just left. It does as it is told
            // when none is free, and sends the same request again. That others give up does not end its own call.
            let waits = number % 10 == 0;
            let patience = if waits { 30_000 } else { 1 + number % 5 };
            let mut attempts = 1..20;
            let answer = loop {
                let mut request = Request::new(message.clone());
                request.set_timeout(Duration::from_millis(patience.try_into().unwrap()));
                match client.register_organisation(request).await {
                    Err(status) if waits && status.code() == Code::Unavailable && attempts.next().is_some() => {}
                    answer => break answer,
                }
            };
            assert!(!waits || answer.is_ok(), "who waits is answered: {answer:?}");
            (message, answer.ok().and_then(|answer| answer.into_inner().organisation))
        }
    });
    let told: Vec<_> = calls.buffer_unordered(32).collect().await;
    assert_eq!(forgotten_transactions(&app).await, 0);

    let count = |query| sqlx::query_scalar::<_, i64>(query).fetch_one(&app.owner);
    // What was begun for a caller who left comes to its end.
    let busy = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = 'tongxin_app' AND state <> 'idle'";
    eventually("nothing is under way", || async { count(busy).await.unwrap() == 0 }).await;

    let acknowledged = told.iter().filter(|(_, organisation)| organisation.is_some()).count();
    let (organisations, names, events, answers) = (
        count("SELECT count(*) FROM organisation").await.unwrap(),
        count("SELECT count(DISTINCT name) FROM organisation").await.unwrap(),
        count("SELECT count(*) FROM event WHERE event_type LIKE '%OrganisationRegistered'").await.unwrap(),
        count("SELECT count(*) FROM request WHERE part = 0 AND request_id NOT IN (SELECT request_id FROM edition)")
            .await
            .unwrap(),
    );
    assert!((CALLS / 10..CALLS).contains(&acknowledged), "{acknowledged} were answered in time");
    assert_eq!((organisations, organisations, organisations), (names, events, answers));
    assert!(organisations >= i64::try_from(acknowledged).unwrap(), "an acknowledged write is gone");

    // Whoever asks again is told the truth, acknowledged or not.
    for (message, organisation) in told.into_iter().step_by(50) {
        let mut client = app.hq();
        let again = client.register_organisation(message).await.unwrap().into_inner().organisation;
        assert!(organisation.is_none() || organisation == again);
    }
}
