//! What was entered by mistake: it is kept, and counts nowhere.

use std::collections::HashMap;

use tongxin_proto::pairing::v1::{
    self, OrganisationKind::Government, Pairing, RecordJointActivityRequest, VoidJointActivityRequest,
    VoidPairingRequest,
};
use tonic::{Code, Status};

use crate::{
    activities::request as activity,
    at_once::held_up,
    coverage::told_of,
    support::{
        COUNTY, OTHER_COUNTY, OTHER_VILLAGE, TOWN, TestApp, VILLAGE, date, new_request_id, party_recipient,
        party_supporter, refused, told,
    },
};

pub fn void(pairing: &Pairing) -> VoidPairingRequest {
    VoidPairingRequest {
        request_id: new_request_id(),
        pairing_id: pairing.pairing_id.clone(),
        reason: "typed twice".to_owned(),
        expected_version: 0,
    }
}

async fn void_pairing(app: &TestApp, pairing: &Pairing) -> Result<Pairing, Status> {
    Ok(app.hq().void_pairing(void(pairing)).await?.into_inner().pairing.unwrap())
}

async fn record(app: &TestApp, request: RecordJointActivityRequest) -> Result<v1::JointActivity, Status> {
    Ok(app.hq().record_joint_activity(request).await?.into_inner().activity.unwrap())
}

fn void_of(activity_id: &str) -> VoidJointActivityRequest {
    VoidJointActivityRequest {
        request_id: new_request_id(),
        activity_id: activity_id.to_owned(),
        reason: "another pairing's".to_owned(),
    }
}

async fn void_activity(app: &TestApp, activity: &v1::JointActivity) -> Result<v1::JointActivity, Status> {
    let request = void_of(&activity.activity_id);
    Ok(app.hq().void_joint_activity(request).await?.into_inner().activity.unwrap())
}

async fn listed(app: &TestApp, request: v1::ListPairingsRequest) -> Vec<String> {
    let pairings = app.hq().list_pairings(request).await.unwrap().into_inner().pairings;
    pairings.into_iter().map(|pairing| pairing.pairing_id).collect()
}

/// What adding up the events says of each organisation, in each region, at the end.
async fn paired(app: &TestApp) -> HashMap<(String, String), i32> {
    let mut sums = HashMap::new();
    for event in app.events::<v1::OrganisationPairedChanged>().await {
        for change in event.changes {
            *sums.entry((event.organisation_id.clone(), change.region_code)).or_default() += change.change;
        }
    }
    sums
}

#[tokio::test]
async fn a_voided_pairing_never_was_in_force_and_can_be_read() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(Government, VILLAGE, "2025-02-01").await;
    let voided = void_pairing(&app, &pairing).await.unwrap();
    assert_eq!((voided.version, voided.void_reason.as_str()), (2, "typed twice"));

    for as_of in ["2025-01-31", "2025-02-01", "2025-06-30"] {
        assert_eq!(app.coverage(TOWN, "party", as_of).await, (0, 2), "{as_of}");
        assert_eq!(told_of(&app, VILLAGE, "party", as_of).await, 0, "{as_of}");
    }
    let sums = paired(&app).await;
    assert!(sums.len() == 10 && sums.values().all(|sum| *sum == 0), "{sums:?}");
    let events = app.events::<v1::PairingVoided>().await;
    assert_eq!((events.len(), &events[0].pairing_id), (1, &pairing.pairing_id));

    let ask = v1::GetPairingRequest { pairing_id: pairing.pairing_id.clone() };
    assert_eq!(app.hq().get_pairing(ask).await.unwrap().into_inner().pairing.unwrap(), voided);
    let of_town = v1::ListPairingsRequest { region_code: TOWN.to_owned(), ..Default::default() };
    assert!(listed(&app, of_town.clone()).await.is_empty());
    let with_voided = v1::ListPairingsRequest { include_voided: true, ..of_town };
    assert_eq!(listed(&app, with_voided.clone()).await, [pairing.pairing_id]);
    let in_force = v1::ListPairingsRequest { in_force_on: date("2025-06-30"), ..with_voided };
    assert!(listed(&app, in_force).await.is_empty());
}

#[tokio::test]
async fn what_other_pairings_hold_goes_on_to_count() {
    let app = TestApp::with_register().await;
    let early = app.pair(Government, VILLAGE, "2025-01-01").await;
    app.pair(Government, VILLAGE, "2025-03-01").await;
    void_pairing(&app, &early).await.unwrap();
    for (as_of, expected) in [("2025-01-01", 0), ("2025-02-28", 0), ("2025-03-01", 1), ("2025-06-30", 1)] {
        assert_eq!(told_of(&app, VILLAGE, "party", as_of).await, expected, "{as_of}");
        assert_eq!(app.coverage(TOWN, "party", as_of).await, (expected, 2), "{as_of}");
    }
}

#[tokio::test]
async fn a_pairing_that_was_ended_is_voided_whole() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(Government, VILLAGE, "2025-02-01").await;
    let ended = app.end(&pairing, "2025-05-01").await.unwrap();
    let voided = void_pairing(&app, &ended).await.unwrap();
    assert_eq!((voided.version, voided.ends_on, voided.end_reason), (3, date("2025-05-01"), "merged".to_owned()));
    for as_of in ["2025-02-01", "2025-04-30", "2025-05-01"] {
        assert_eq!(told_of(&app, VILLAGE, "party", as_of).await, 0, "{as_of}");
    }
}

#[tokio::test]
async fn voiding_twice_changes_nothing() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(Government, VILLAGE, "2025-02-01").await;
    let held = record(&app, activity(&pairing, "2025-03-01")).await.unwrap();
    let first = void_activity(&app, &held).await.unwrap();
    let again = VoidJointActivityRequest { reason: "again".to_owned(), ..void_of(&held.activity_id) };
    assert_eq!(app.hq().void_joint_activity(again).await.unwrap().into_inner().activity.unwrap(), first);
    assert_eq!(app.events::<v1::JointActivityVoided>().await.len(), 1);

    let first = void_pairing(&app, &pairing).await.unwrap();
    let before = app.all_events().await;
    let again = VoidPairingRequest { reason: "again".to_owned(), ..void(&pairing) };
    assert_eq!(app.hq().void_pairing(again).await.unwrap().into_inner().pairing.unwrap(), first);
    assert_eq!(app.all_events().await, before);
}

#[tokio::test]
async fn a_pairing_with_activities_is_voided_after_them() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(Government, VILLAGE, "2025-02-01").await;
    let held = record(&app, activity(&pairing, "2025-03-01")).await.unwrap();
    let busy = void_pairing(&app, &pairing).await.unwrap_err();
    refused(&busy, Code::FailedPrecondition, "PAIRING_HAS_ACTIVITIES", "pairing_id");
    assert!(app.events::<v1::PairingVoided>().await.is_empty());

    void_activity(&app, &held).await.unwrap();
    void_pairing(&app, &pairing).await.unwrap();
}

#[tokio::test]
async fn a_pairing_from_today_is_voided_and_the_right_one_entered() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Government)).await;
    let recipient = app.register(party_recipient(VILLAGE)).await;
    let wrong = app.establish(&supporter, &recipient, "2025-06-30").await.unwrap();
    assert_eq!(told(&app.end(&wrong, "2025-06-30").await.unwrap_err()).1, "DATE_ORDER");
    void_pairing(&app, &wrong).await.unwrap();
    app.establish(&supporter, &recipient, "2025-06-01").await.unwrap();
    assert_eq!(told_of(&app, VILLAGE, "party", "2025-06-30").await, 1);
}

#[tokio::test]
async fn a_voided_pairing_is_not_ended_and_has_no_activities() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(Government, VILLAGE, "2025-02-01").await;
    void_pairing(&app, &pairing).await.unwrap();
    let ended = app.end(&pairing, "2025-03-01").await.unwrap_err();
    let held = record(&app, activity(&pairing, "2025-03-01")).await.unwrap_err();
    refused(&ended, Code::FailedPrecondition, "PAIRING_VOIDED", "pairing_id");
    refused(&held, Code::FailedPrecondition, "PAIRING_VOIDED", "activity.pairing_id");
    assert!(app.events::<v1::PairingEnded>().await.is_empty());
    assert!(app.events::<v1::JointActivityHeld>().await.is_empty());

    let close = v1::CloseOrganisationRequest {
        request_id: new_request_id(),
        organisation_id: pairing.supporter_id,
        closed_on: date("2025-06-01"),
        reason: "merged".to_owned(),
        expected_version: 0,
    };
    app.hq().close_organisation(close).await.unwrap();
}

#[tokio::test]
async fn a_voided_activity_is_listed_only_if_wanted_and_holds_no_end_up() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(Government, VILLAGE, "2025-02-01").await;
    let held = record(&app, activity(&pairing, "2025-03-05")).await.unwrap();
    let request = void_of(&held.activity_id);
    let mut clerk = app.client("village", VILLAGE);
    let voided = clerk.void_joint_activity(request).await.unwrap().into_inner().activity.unwrap();
    assert_eq!(voided, v1::JointActivity { void_reason: "another pairing's".to_owned(), ..held.clone() });
    let events = app.events::<v1::JointActivityVoided>().await;
    assert_eq!((events.len(), events[0].held_on, &events[0].region_code), (1, date("2025-03-05"), &VILLAGE.to_owned()));

    let list = |include_voided| v1::ListJointActivitiesRequest {
        pairing_id: pairing.pairing_id.clone(),
        include_voided,
        ..Default::default()
    };
    assert_eq!(clerk.list_joint_activities(list(false)).await.unwrap().into_inner().activities, []);
    assert_eq!(clerk.list_joint_activities(list(true)).await.unwrap().into_inner().activities, [voided]);
    app.end(&pairing, "2025-03-01").await.unwrap();
}

#[tokio::test]
async fn what_lies_elsewhere_or_is_old_is_not_voided() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(Government, VILLAGE, "2022-02-01").await;
    let held = record(&app, activity(&pairing, "2022-03-05")).await.unwrap();
    let void_held = || void_of(&held.activity_id);
    let missing = (Code::NotFound, "PAIRING_NOT_FOUND".to_owned(), vec!["pairing_id".to_owned()]);
    let foreign = app.client("county", OTHER_COUNTY).void_pairing(void(&pairing)).await.unwrap_err();
    assert_eq!(told(&foreign), missing);
    let unknown = VoidPairingRequest { pairing_id: new_request_id(), ..void(&pairing) };
    assert_eq!(told(&app.hq().void_pairing(unknown).await.unwrap_err()), missing);
    let missing = (Code::NotFound, "ACTIVITY_NOT_FOUND".to_owned(), vec!["activity_id".to_owned()]);
    let foreign = app.client("village", OTHER_VILLAGE).void_joint_activity(void_held()).await.unwrap_err();
    assert_eq!(told(&foreign), missing);
    let unknown = app.hq().void_joint_activity(void_of(&new_request_id())).await.unwrap_err();
    assert_eq!(told(&unknown), missing);

    let old = |field: &str| (Code::PermissionDenied, "HISTORY_NOT_ALLOWED".to_owned(), vec![field.to_owned()]);
    let mut county = app.client("county", COUNTY);
    assert_eq!(told(&county.void_joint_activity(void_held()).await.unwrap_err()), old("activity_id"));
    assert_eq!(told(&county.void_pairing(void(&pairing)).await.unwrap_err()), old("pairing_id"));
    assert!(app.events::<v1::PairingVoided>().await.is_empty());
    assert!(app.events::<v1::JointActivityVoided>().await.is_empty());
}

#[tokio::test]
async fn voiding_needs_a_reason_a_role_and_what_was_seen() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(Government, VILLAGE, "2025-02-01").await;
    let silent = VoidPairingRequest { reason: String::new(), ..void(&pairing) };
    let silent = app.hq().void_pairing(silent).await.unwrap_err();
    assert_eq!(told(&silent), (Code::InvalidArgument, "INVALID_FIELDS".to_owned(), vec!["reason".to_owned()]));
    let silent = VoidJointActivityRequest { reason: String::new(), ..void_of(&new_request_id()) };
    let silent = app.hq().void_joint_activity(silent).await.unwrap_err();
    assert_eq!(told(&silent), (Code::InvalidArgument, "INVALID_FIELDS".to_owned(), vec!["reason".to_owned()]));

    let clerk = app.client("village", VILLAGE).void_pairing(void(&pairing)).await.unwrap_err();
    assert_eq!(told(&clerk), (Code::PermissionDenied, "PERMISSION_MISSING".to_owned(), vec![]));
    let stale = VoidPairingRequest { expected_version: 9, ..void(&pairing) };
    assert_eq!(told(&app.hq().void_pairing(stale).await.unwrap_err()).1, "VERSION_STALE");
    assert!(app.events::<v1::PairingVoided>().await.is_empty());
    let seen = VoidPairingRequest { expected_version: 1, ..void(&pairing) };
    app.client("town", TOWN).void_pairing(seen).await.unwrap();
}

#[tokio::test]
async fn a_pairing_is_voided_or_has_an_activity_but_not_both() {
    let app = TestApp::with_register().await;
    for _ in 0..10 {
        let pairing = app.pair(Government, VILLAGE, "2025-02-01").await;
        let (voided, held) = tokio::join!(void_pairing(&app, &pairing), record(&app, activity(&pairing, "2025-03-01")));
        assert_ne!(voided.is_ok(), held.is_ok(), "{voided:?} {held:?}");
    }
}

#[tokio::test]
async fn two_pairings_that_are_voided_at_once_uncover_the_village_once() {
    let app = TestApp::with_register().await;
    let first = app.pair(Government, VILLAGE, "2025-01-01").await;
    let second = app.pair(Government, VILLAGE, "2025-02-01").await;
    let calls = async { tokio::join!(void_pairing(&app, &first), void_pairing(&app, &second)) };
    let (one, other) = held_up(&app, calls).await;
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    for as_of in ["2025-01-01", "2025-02-01", "2025-06-30"] {
        assert_eq!(told_of(&app, VILLAGE, "party", as_of).await, 0, "{as_of}");
    }
}

#[tokio::test]
async fn two_who_void_at_once_take_back_once() {
    let app = TestApp::with_register().await;
    for _ in 0..10 {
        let pairing = app.pair(Government, VILLAGE, "2025-02-01").await;
        let held = record(&app, activity(&pairing, "2025-03-01")).await.unwrap();
        let (one, other) = tokio::join!(void_activity(&app, &held), void_activity(&app, &held));
        assert_eq!(one.unwrap(), other.unwrap());
        let (one, other) = tokio::join!(void_pairing(&app, &pairing), void_pairing(&app, &pairing));
        assert_eq!(one.unwrap(), other.unwrap());
    }
    assert_eq!(app.events::<v1::JointActivityVoided>().await.len(), 10);
    assert_eq!(app.events::<v1::PairingVoided>().await.len(), 10);
    assert_eq!(told_of(&app, VILLAGE, "party", "2025-06-30").await, 0);
}
