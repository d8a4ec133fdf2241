//! What is asked for at the same moment: the answers are those of one order or another.

use tongxin_platform::testing::eventually;
use tongxin_proto::{
    pairing::v1::{self, OrganisationKind::Government},
    register::v1::RegionLevel::Village,
};
use tonic::{Code, Status};

use crate::support::{
    COUNTY, OTHER_VILLAGE, PROVINCE, TOWN, TestApp, VILLAGE, date, new_request_id, party_recipient, party_supporter,
    register, row, told,
};

/// What adding up the events says of an organisation in a region at the end.
pub async fn paired(app: &TestApp, organisation_id: &str, region_code: &str) -> i32 {
    let events = app.events::<v1::OrganisationPairedChanged>().await;
    let of_it = events.into_iter().filter(|event| event.organisation_id == organisation_id);
    let changes = of_it.flat_map(|event| event.changes);
    changes.filter(|change| change.region_code == region_code).map(|change| change.change).sum()
}

pub fn close(organisation: &v1::Organisation) -> v1::CloseOrganisationRequest {
    v1::CloseOrganisationRequest {
        request_id: new_request_id(),
        organisation_id: organisation.organisation_id.clone(),
        closed_on: date("2025-06-01"),
        reason: "merged".to_owned(),
        expected_version: 0,
    }
}

/// Holds up two changes, which would write pairings and then their answers, until both have come as far as they can.
pub async fn held_up<Answers>(app: &TestApp, calls: impl Future<Output = Answers>) -> Answers {
    let mut held_up = app.owner.begin().await.unwrap();
    sqlx::query("LOCK TABLE pairing, request IN SHARE MODE").execute(&mut *held_up).await.unwrap();
    let let_go = async {
        let query = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        eventually("both wait", || async {
            sqlx::query_scalar::<_, i64>(query).fetch_one(&app.owner).await.unwrap() == 2
        })
        .await;
        held_up.rollback().await.unwrap();
    };
    tokio::join!(calls, let_go).0
}

#[tokio::test]
async fn a_supporter_that_is_paired_in_two_villages_at_once_counts_once_in_their_town() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Government)).await;
    let one = app.register(party_recipient(VILLAGE)).await;
    let other = app.register(party_recipient(OTHER_VILLAGE)).await;
    let calls = async {
        tokio::join!(app.establish(&supporter, &one, "2025-01-01"), app.establish(&supporter, &other, "2025-01-01"))
    };
    let (first, second) = Box::pin(held_up(&app, calls)).await;
    let (first, second) = (first.unwrap(), second.unwrap());
    for region in [PROVINCE, TOWN, VILLAGE, OTHER_VILLAGE] {
        assert_eq!(paired(&app, &supporter.organisation_id, region).await, 1, "{region}");
    }

    let calls = async { tokio::join!(app.end(&first, "2025-06-01"), app.end(&second, "2025-06-01")) };
    let (one, other) = held_up(&app, calls).await;
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    for region in [PROVINCE, TOWN, VILLAGE, OTHER_VILLAGE] {
        assert_eq!(paired(&app, &supporter.organisation_id, region).await, 0, "{region}");
    }
}

#[tokio::test]
async fn of_two_who_end_a_pairing_at_once_one_does() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(Government, VILLAGE, "2025-01-01").await;
    let calls = async { tokio::join!(app.end(&pairing, "2025-05-01"), app.end(&pairing, "2025-06-01")) };
    let (one, other) = held_up(&app, calls).await;
    assert_ne!(one.is_ok(), other.is_ok());
    let refused: Status = one.err().or(other.err()).unwrap();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::FailedPrecondition, "PAIRING_ENDED"));
    assert_eq!(app.events::<v1::PairingEnded>().await.len(), 1);
}

#[tokio::test]
async fn an_organisation_is_closed_or_paired_but_not_both() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Government)).await;
    let recipient = app.register(party_recipient(VILLAGE)).await;
    let mut hq = app.hq();
    let calls = async {
        let establish = app.establish(&supporter, &recipient, "2025-05-01");
        tokio::join!(establish, hq.close_organisation(close(&supporter)))
    };
    let (established, closed) = held_up(&app, calls).await;
    assert_ne!(established.is_ok(), closed.is_ok(), "{established:?} {closed:?}");
}

#[tokio::test]
async fn an_activity_and_an_earlier_end_do_not_both_come_true() {
    let app = TestApp::with_register().await;
    for _ in 0..10 {
        let pairing = app.pair(Government, VILLAGE, "2025-01-01").await;
        let mut hq = app.hq();
        let (held, ended) = tokio::join!(
            hq.record_joint_activity(crate::activities::request(&pairing, "2025-05-01")),
            app.end(&pairing, "2025-04-01")
        );
        assert_ne!(held.is_ok(), ended.is_ok(), "{held:?} {ended:?}");
    }
}

#[tokio::test]
async fn editions_that_come_at_once_are_taken_one_after_the_other() {
    let app = TestApp::with_register().await;
    let with = |code: &str, name: &str| {
        let mut rows = register();
        rows.push(row(code, name, Village, TOWN, true));
        rows
    };
    let (one, other) = tokio::join!(
        app.import("2025-01-01", with("441823107203", "白石村")),
        app.import("2025-01-01", with("441823107203", "黑石村")),
    );
    let added = [one, other].map(|answer| answer.unwrap().result.unwrap().added);
    assert!(added == [1, 0] || added == [0, 1], "{added:?}");
    assert_eq!(app.coverage(COUNTY, "party", "2025-06-30").await, (0, 3));
}
