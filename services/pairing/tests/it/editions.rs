//! Editions of the register and what they mean for the villages that are assisted.

use tongxin_proto::{
    pairing::v1::{self, OrganisationKind::Government, RegionEdition},
    register::v1::{
        RegionLevel::{self, Community},
        RegionsRecorded,
    },
};

use tonic::Code;

use crate::{
    coverage::told_of,
    support::{
        COUNTY, PROVINCE, TestApp, VILLAGE, date, new_request_id, party_recipient, party_supporter, refused, register,
        told,
    },
};

fn without(code: &str) -> Vec<v1::RegionRow> {
    register().into_iter().filter(|row| row.code != code).collect()
}

fn unassisted(code: &str) -> Vec<v1::RegionRow> {
    let mut rows = register();
    rows.iter_mut().filter(|row| row.code == code).for_each(|row| row.assisted = false);
    rows
}

/// What adding up the events says of how many villages are assisted on a day.
async fn assisted(app: &TestApp, as_of: &str) -> i32 {
    let until = crate::support::day(as_of);
    let counted = |event: &v1::RegionAssistanceChanged| {
        event.level() == RegionLevel::Village
            && chrono::NaiveDate::try_from(event.occurred_on.unwrap()).unwrap() <= until
    };
    app.events::<v1::RegionAssistanceChanged>().await.iter().filter(|event| counted(event)).map(|one| one.change).sum()
}

#[tokio::test]
async fn a_village_that_is_withdrawn_is_assisted_no_longer() {
    let app = TestApp::with_register().await;
    app.pair(Government, VILLAGE, "2024-01-01").await;
    let edition = RegionEdition {
        request_id: new_request_id(),
        effective_from: date("2025-01-01"),
        complete_for: COUNTY.to_owned(),
        source: String::new(),
        row_count: 10,
    };
    app.import_as(edition, without(VILLAGE)).await.unwrap();
    assert_eq!(app.coverage(PROVINCE, "party", "2024-12-31").await, (1, 3));
    assert_eq!(app.coverage(PROVINCE, "party", "2025-01-01").await, (0, 2));
    assert_eq!((assisted(&app, "2024-12-31").await, assisted(&app, "2025-01-01").await), (3, 2));
    assert_eq!(told_of(&app, VILLAGE, "party", "2025-01-01").await, 0);
}

#[tokio::test]
async fn with_a_village_that_was_withdrawn_only_the_past_is_entered() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Government)).await;
    let recipient = app.register(party_recipient(VILLAGE)).await;
    let edition = RegionEdition {
        request_id: new_request_id(),
        effective_from: date("2025-01-01"),
        complete_for: COUNTY.to_owned(),
        source: String::new(),
        row_count: 10,
    };
    app.import_as(edition, without(VILLAGE)).await.unwrap();
    for starts_on in ["2025-01-01", "2025-06-01"] {
        let late = app.establish(&supporter, &recipient, starts_on).await.unwrap_err();
        refused(&late, Code::FailedPrecondition, "REGION_WITHDRAWN", "pairing.recipient_id");
        assert!(late.message().contains("withdrawn from 2025-01-01 on"), "{}", late.message());
    }
    app.establish(&supporter, &recipient, "2024-12-31").await.unwrap();
    let register =
        v1::RegisterOrganisationRequest { request_id: new_request_id(), organisation: Some(party_recipient(VILLAGE)) };
    let late = app.hq().register_organisation(register).await.unwrap_err();
    refused(&late, Code::FailedPrecondition, "REGION_WITHDRAWN", "organisation.region_code");
}

#[tokio::test]
async fn a_village_that_becomes_a_community_was_a_village() {
    let app = TestApp::with_register().await;
    app.pair(Government, VILLAGE, "2024-01-01").await;
    let mut rows = unassisted(VILLAGE);
    rows.iter_mut().filter(|row| row.code == VILLAGE).for_each(|row| row.level = Community.into());
    app.import("2025-01-01", rows).await.unwrap();
    assert_eq!(app.coverage(PROVINCE, "party", "2024-12-31").await, (1, 3));
    assert_eq!(app.coverage(PROVINCE, "party", "2025-01-01").await, (0, 2));
    assert_eq!((assisted(&app, "2024-12-31").await, assisted(&app, "2025-01-01").await), (3, 2));
    assert_eq!(told_of(&app, VILLAGE, "party", "2024-12-31").await, 1);
    assert_eq!(told_of(&app, VILLAGE, "party", "2025-01-01").await, 0);
}

#[tokio::test]
async fn a_mistake_is_corrected_by_an_edition_of_the_same_day() {
    let app = TestApp::with_register().await;
    app.import("2021-01-01", unassisted(VILLAGE)).await.unwrap();
    assert_eq!(app.coverage(PROVINCE, "party", "2025-06-30").await, (0, 2));
    assert_eq!(assisted(&app, "2025-06-30").await, 2);
}

#[tokio::test]
async fn an_edition_that_is_older_than_one_that_was_taken_is_refused() {
    let app = TestApp::with_register().await;
    app.import("2025-01-01", unassisted(VILLAGE)).await.unwrap();
    let refused = app.import("2024-01-01", register()).await.unwrap_err();
    assert_eq!(told(&refused).1, "EDITION_OUTDATED");
    assert_eq!(assisted(&app, "2025-06-30").await, 2);
}

#[tokio::test]
async fn an_import_whose_rows_were_lost_changes_nothing() {
    let app = TestApp::start().await;
    // A crash of Postgres empties unlogged tables; a rule that drops a row does as much.
    sqlx::query("CREATE RULE lose AS ON INSERT TO region_import WHERE new.code = 441823107201 DO INSTEAD NOTHING")
        .execute(&app.owner)
        .await
        .unwrap();
    let refused = app.import("2021-01-01", register()).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable);
    assert!(app.events::<RegionsRecorded>().await.is_empty());
}
