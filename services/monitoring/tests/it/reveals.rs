//! Personal data that is shown.

use prost::Message as _;
use tongxin_proto::monitoring::v1::{self, Health, RevealHouseholdRequest, RevealPurpose};
use tonic::Code;

use crate::{
    drafts::{couple, id_number},
    support::{COUNTY, TestApp, VILLAGE, told},
};

fn reveal(household: &str, reference: &str) -> RevealHouseholdRequest {
    RevealHouseholdRequest {
        household_id: household.to_owned(),
        purpose: RevealPurpose::Payment.into(),
        reference: reference.to_owned(),
    }
}

#[tokio::test]
async fn each_reveal_shows_all_and_writes_one_event_with_who_and_why() {
    let app = TestApp::start().await;
    let mut draft = couple(VILLAGE, 0);
    draft.members[1].phone = "13800001234".to_owned();
    draft.members[1].health = vec![Health::Disabled.into(), Health::ChronicDisease.into()];
    let household = app.hq().register(draft).await.unwrap();
    let mut auditor = app.clients("auditor", COUNTY);
    for reference in ["2025/117", "2025/118"] {
        let request = reveal(&household.household_id, reference);
        let shown = auditor.households.reveal_household(request).await.unwrap().into_inner().household.unwrap();
        assert_eq!(shown.household.as_ref(), Some(&household));
        let spouse = v1::RevealedMember {
            member_id: household.members[1].member_id.clone(),
            name: "王小花".to_owned(),
            id_number: id_number("19820202", 2),
            phone: "13800001234".to_owned(),
            health: vec![Health::ChronicDisease.into(), Health::Disabled.into()],
        };
        assert_eq!(shown.members[1], spouse);
    }
    let events = app.events::<v1::HouseholdRevealed>().await;
    let expected = |reference: &str| v1::HouseholdRevealed {
        household_id: household.household_id.clone(),
        purpose: RevealPurpose::Payment.into(),
        reference: reference.to_owned(),
    };
    assert_eq!(events, [expected("2025/117"), expected("2025/118")]);
    let entries = "SELECT actor, payload FROM event WHERE event_type LIKE '%HouseholdRevealed'";
    let entries: Vec<(String, Vec<u8>)> = sqlx::query_as(entries).fetch_all(&app.owner).await.unwrap();
    assert!(entries.iter().all(|(actor, _)| actor.ends_with("|auditor@441823000000")), "{entries:?}");
    assert!(entries.iter().all(|(_, payload)| payload.len() == expected("2025/117").encoded_len()));
}

#[tokio::test]
async fn what_cannot_be_logged_is_not_shown() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE, 0).await.household_id;
    let events = app.count("event").await;
    sqlx::query("ALTER TABLE event ADD CONSTRAINT no_room CHECK (event_type NOT LIKE '%Revealed') NOT VALID")
        .execute(&app.owner)
        .await
        .unwrap();
    let refused = app.hq().reveal(&household).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::Internal, "INTERNAL"));
    assert_eq!(app.count("event").await, events);
}

#[tokio::test]
async fn a_reason_is_needed_and_it_holds_no_id_number() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE, 0).await.household_id;
    let number = id_number("19800101", 1);
    for (request, field) in [
        (RevealHouseholdRequest { purpose: 0, ..reveal(&household, "") }, "purpose"),
        (reveal(&household, &format!("A-{number}")), "reference"),
    ] {
        let refused = app.hq().households.reveal_household(request).await.unwrap_err();
        assert_eq!(told(&refused), (Code::InvalidArgument, "INVALID_FIELDS".to_owned(), vec![field.to_owned()]));
        assert!(!refused.message().contains(&number));
    }
    assert!(app.events::<v1::HouseholdRevealed>().await.is_empty());
}
