//! Joint activities.

use tongxin_proto::pairing::v1::{self, ActivityKind, OrganisationKind::Government};
use tonic::Code;

use crate::support::{OTHER_VILLAGE, TestApp, VILLAGE, date, new_request_id, refused, told};

pub fn request(pairing: &v1::Pairing, held_on: &str) -> v1::RecordJointActivityRequest {
    let activity = v1::JointActivityDraft {
        pairing_id: pairing.pairing_id.clone(),
        kind: ActivityKind::PartyDay.into(),
        held_on: date(held_on),
        participants: 24,
        remark: String::new(),
    };
    v1::RecordJointActivityRequest { request_id: new_request_id(), activity: Some(activity) }
}

#[tokio::test]
async fn the_clerk_of_a_village_records_and_lists_its_activities() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(Government, VILLAGE, "2025-01-01").await;
    let mut clerk = app.client("village", VILLAGE);
    let recorded = clerk.record_joint_activity(request(&pairing, "2025-03-05")).await.unwrap().into_inner();
    let list = v1::ListJointActivitiesRequest { pairing_id: pairing.pairing_id.clone(), ..Default::default() };
    let listed = clerk.list_joint_activities(list.clone()).await.unwrap().into_inner().activities;
    assert_eq!(listed, [recorded.activity.unwrap()]);
    assert_eq!(app.events::<v1::JointActivityHeld>().await.len(), 1);

    let foreign = app.client("village", OTHER_VILLAGE).list_joint_activities(list).await.unwrap_err();
    assert_eq!(told(&foreign).1, "PAIRING_NOT_FOUND");

    let early = app.end(&pairing, "2025-03-05").await.unwrap_err();
    assert_eq!(told(&early).1, "ACTIVITY_AFTER_END");
    app.end(&pairing, "2025-03-06").await.unwrap();
}

#[tokio::test]
async fn an_activity_falls_within_its_pairing_and_says_what_it_was() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(Government, VILLAGE, "2025-02-01").await;
    let mut hq = app.hq();
    let early = hq.record_joint_activity(request(&pairing, "2025-01-31")).await.unwrap_err();
    refused(&early, Code::FailedPrecondition, "PAIRING_NOT_IN_FORCE", "activity.held_on");
    let future = hq.record_joint_activity(request(&pairing, "2025-07-01")).await.unwrap_err();
    assert_eq!(told(&future).1, "DATE_IN_FUTURE");

    let mut silent = request(&pairing, "2025-03-01");
    silent.activity.as_mut().unwrap().kind = ActivityKind::Other.into();
    let silent = hq.record_joint_activity(silent).await.unwrap_err();
    refused(&silent, Code::InvalidArgument, "REMARK_REQUIRED", "activity.remark");
    let mut nobody = request(&pairing, "2025-03-01");
    nobody.activity.as_mut().unwrap().participants = 0;
    assert_eq!(told(&hq.record_joint_activity(nobody).await.unwrap_err()).2, ["activity.participants"]);
}
