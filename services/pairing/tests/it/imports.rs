//! Imports of the register.

use futures::TryStreamExt as _;
use tongxin_proto::pairing::v1::{
    self,
    ImportStage::{Checking, Following, Merging, Publishing, Receiving, Unspecified},
    RegionEdition,
    RegionLevel::{County, Town, Village},
    import_regions_request::Part,
};
use tonic::Code;

use crate::support::{
    COUNTY, OTHER_COUNTY, PROVINCE, TOWN, TestApp, VILLAGE, date, new_request_id, party_recipient, refused, register,
    row, told,
};

fn result(answer: v1::ImportRegionsResponse) -> v1::ImportRegionsResult {
    answer.result.unwrap()
}

#[tokio::test]
async fn an_edition_is_taken_and_repeating_it_changes_nothing() {
    let app = TestApp::start().await;
    let first = result(app.import("2021-01-01", register()).await.unwrap());
    assert_eq!((first.rows, first.added, first.changed, first.assistance_changed), (11, 11, 0, 5));
    let again = result(app.import("2021-01-01", register()).await.unwrap());
    assert_eq!((again.rows, again.added, again.changed, again.assistance_changed), (11, 0, 0, 0));
    assert_eq!(app.events::<v1::RegionAssistanceChanged>().await.len(), 5);
    let told_of: usize = app.events::<v1::RegionsRecorded>().await.iter().map(|event| event.regions.len()).sum();
    assert_eq!(told_of, 11);

    let ask = v1::GetRegionRequest { code: VILLAGE.to_owned() };
    let village = app.hq().get_region(ask).await.unwrap().into_inner().region.unwrap();
    assert_eq!((village.level(), village.parent_code.as_str()), (Village, TOWN));
    assert_eq!((village.valid_from, village.assisted_from), (date("2021-01-01"), date("2021-01-01")));
}

#[tokio::test]
async fn the_same_request_is_answered_alike() {
    let app = TestApp::start().await;
    let edition =
        RegionEdition { request_id: new_request_id(), effective_from: date("2021-01-01"), ..Default::default() };
    let first = app.import_as(edition.clone(), register()).await.unwrap();
    let again = app.import_as(edition.clone(), register()).await.unwrap();
    assert_eq!(first, again);
    let other = app.import_as(edition, register()[..5].to_vec()).await.unwrap_err();
    refused(&other, Code::AlreadyExists, "REQUEST_ID_REUSED", "edition.request_id");
}

#[tokio::test]
async fn every_stage_of_an_import_is_told() {
    let app = TestApp::start().await;
    let edition =
        RegionEdition { request_id: new_request_id(), effective_from: date("2021-01-01"), ..Default::default() };
    let parts = [Part::Edition(edition), Part::Rows(v1::RegionRows { rows: register() })];
    let requests = parts.map(|part| v1::ImportRegionsRequest { part: Some(part) });
    let answers = app.client("operator", PROVINCE).import_regions(futures::stream::iter(requests)).await.unwrap();
    let answers: Vec<_> = answers.into_inner().try_collect().await.unwrap();
    let stages: Vec<_> = answers.iter().map(|answer| (answer.stage(), answer.published)).collect();
    let expected = [
        (Receiving, 0),
        (Checking, 0),
        (Merging, 0),
        (Publishing, 0),
        (Publishing, 11),
        (Following, 0),
        (Unspecified, 0),
    ];
    assert_eq!(stages, expected);
    assert!(answers.iter().all(|answer| answer.received == 11), "{answers:?}");
}

/// Identifiers of requests are the caller's own, and the same file has the same one for everybody.
#[tokio::test]
async fn somebody_else_may_choose_the_same_request_identifier() {
    let app = TestApp::start().await;
    let edition =
        RegionEdition { request_id: new_request_id(), effective_from: date("2021-01-01"), ..Default::default() };
    assert_eq!(result(app.import_as(edition.clone(), register()[..5].to_vec()).await.unwrap()).added, 5);
    let other = app.client("operator", COUNTY);
    let second = result(app.import_by(other, edition, register()).await.unwrap());
    assert_eq!((second.rows, second.added, second.changed), (11, 6, 0));
    // What the first one added is not told of again.
    let told_of: usize = app.events::<v1::RegionsRecorded>().await.iter().map(|event| event.regions.len()).sum();
    assert_eq!(told_of, 11);
}

#[tokio::test]
async fn a_complete_edition_withdraws_what_it_does_not_have() {
    let app = TestApp::with_register().await;
    let rows = register().into_iter().filter(|row| row.code != VILLAGE).collect();
    let edition = RegionEdition {
        request_id: new_request_id(),
        effective_from: date("2025-01-01"),
        complete_for: COUNTY.to_owned(),
        source: "edition of 2025".to_owned(),
        row_count: 10,
    };
    assert_eq!(result(app.import_as(edition, rows).await.unwrap()).withdrawn, 1);
    let ask = v1::GetRegionRequest { code: VILLAGE.to_owned() };
    let village = app.hq().get_region(ask).await.unwrap().into_inner().region.unwrap();
    assert_eq!(village.valid_until, date("2025-01-01"));
}

async fn withdraw(app: &TestApp, effective_from: &str, rows: Vec<v1::RegionRow>) -> i64 {
    let edition = RegionEdition {
        request_id: new_request_id(),
        effective_from: date(effective_from),
        complete_for: COUNTY.to_owned(),
        source: String::new(),
        row_count: i64::try_from(rows.len()).unwrap(),
    };
    result(app.import_as(edition, rows).await.unwrap()).withdrawn
}

async fn valid_until(app: &TestApp, code: &str) -> Option<tongxin_proto::Date> {
    let ask = v1::GetRegionRequest { code: code.to_owned() };
    app.hq().get_region(ask).await.unwrap().into_inner().region.unwrap().valid_until
}

#[tokio::test]
async fn a_region_that_was_withdrawn_stays_so_and_nobody_is_at_home_there() {
    let app = TestApp::with_register().await;
    let without = || register().into_iter().filter(|row| row.code != VILLAGE).collect::<Vec<_>>();
    assert_eq!(withdraw(&app, "2025-01-01", without()).await, 1);
    assert_eq!(withdraw(&app, "2025-03-01", without()).await, 0);
    assert_eq!(valid_until(&app, VILLAGE).await, date("2025-01-01"));

    let organisation = Some(party_recipient(VILLAGE));
    let request = v1::RegisterOrganisationRequest { request_id: new_request_id(), organisation };
    let refused = app.hq().register_organisation(request).await.unwrap_err();
    assert_eq!(
        told(&refused),
        (Code::NotFound, "REGION_NOT_FOUND".to_owned(), vec!["organisation.region_code".to_owned()])
    );
}

#[tokio::test]
async fn a_region_that_was_added_by_mistake_is_withdrawn_by_an_edition_of_the_same_day() {
    let app = TestApp::with_register().await;
    let mistake = row("441823107203", "白石村", Village, TOWN, false);
    app.import("2025-01-01", vec![mistake]).await.unwrap();
    assert_eq!(withdraw(&app, "2025-01-01", register()).await, 1);
    // A period has at least a day.
    assert_eq!(valid_until(&app, "441823107203").await, date("2025-01-02"));
}

/// A file that is cut off between two rows looks whole.
#[tokio::test]
async fn an_edition_that_was_cut_off_withdraws_nothing() {
    let app = TestApp::with_register().await;
    let edition = |row_count| RegionEdition {
        request_id: new_request_id(),
        effective_from: date("2025-01-01"),
        complete_for: COUNTY.to_owned(),
        source: String::new(),
        row_count,
    };
    let before = app.all_events().await;
    let cut_off = || register()[..6].to_vec();
    let unstated = app.import_as(edition(0), cut_off()).await.unwrap_err();
    let field = (Code::InvalidArgument, "INVALID_FIELDS".to_owned(), vec!["edition.row_count".to_owned()]);
    assert_eq!(told(&unstated), field);
    assert!(unstated.message().contains("required with complete_for"), "{}", unstated.message());

    let wrong = (Code::InvalidArgument, "ROW_COUNT_WRONG".to_owned(), vec!["edition.row_count".to_owned()]);
    let fewer = app.import_as(edition(11), cut_off()).await.unwrap_err();
    assert_eq!(told(&fewer), wrong);
    assert!(fewer.message().contains("6 rows came, 11 were stated"), "{}", fewer.message());
    let more = app.import_as(edition(10), register()).await.unwrap_err();
    assert_eq!(told(&more), wrong);
    let open = RegionEdition { complete_for: String::new(), ..edition(11) };
    assert_eq!(told(&app.import_as(open, cut_off()).await.unwrap_err()), wrong);
    let negative = app.import_as(edition(-1), register()).await.unwrap_err();
    assert_eq!(told(&negative).2, ["edition.row_count"]);
    assert_eq!(app.all_events().await, before);
    assert_eq!(app.set_aside().await, 0);

    assert_eq!(result(app.import_as(edition(11), register()).await.unwrap()).withdrawn, 0);
}

#[tokio::test]
async fn rows_that_contradict_themselves_or_each_other_are_named_and_nothing_is_written() {
    let app = TestApp::start().await;
    let cases = [
        (row("44182310720", "短", Village, TOWN, false), "row 12: code"),
        (row("441823107203", "错", Town, TOWN, false), "row 12: the level does not agree"),
        (row("441823107203", "孤", Village, "441823108000", false), "row 12: the parent does not contain"),
        (
            row("441823108201", "孤", Village, "441823108000", false),
            "row 12: the parent 441823108000 is not registered",
        ),
        (row(VILLAGE, "重", Village, TOWN, false), "row 12: 441823107201 stands in row 7"),
        (row("441826000000", "县", County, "441800000000", true), "row 12: only towns and villages"),
        (row("441823107203", "", Village, TOWN, false), "row 12: name"),
    ];
    for (wrong, expected) in cases {
        let mut rows = register();
        rows.push(wrong);
        let refused = app.import("2021-01-01", rows).await.unwrap_err();
        assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::InvalidArgument, "REGION_ROWS_INVALID"));
        assert!(refused.message().contains(expected), "{} has no {expected:?}", refused.message());
    }
    let ask = v1::GetRegionRequest { code: PROVINCE.to_owned() };
    assert_eq!(told(&app.hq().get_region(ask).await.unwrap_err()).1, "REGION_NOT_FOUND");
    assert_eq!((app.set_aside().await, app.all_events().await), (0, 0), "rows set aside are cleared");
}

#[tokio::test]
async fn an_edition_needs_rows_and_a_day_that_has_come() {
    let app = TestApp::start().await;
    assert_eq!(told(&app.import("2021-01-01", vec![]).await.unwrap_err()).2, ["rows.rows"]);
    assert_eq!(told(&app.import("2025-07-01", register()).await.unwrap_err()).1, "DATE_IN_FUTURE");
}

#[tokio::test]
async fn only_an_operator_imports() {
    let app = TestApp::start().await;
    let refused = app.hq().import_regions(futures::stream::iter([])).await.unwrap_err();
    assert_eq!(told(&refused).1, "PERMISSION_MISSING");
}

/// The register is everybody's: the permission decides, not the region.
#[tokio::test]
async fn an_operator_of_a_county_takes_the_whole_register() {
    let app = TestApp::start().await;
    let edition = RegionEdition {
        request_id: new_request_id(),
        effective_from: date("2025-01-01"),
        complete_for: PROVINCE.to_owned(),
        source: String::new(),
        row_count: 11,
    };
    let operator = app.client("operator", OTHER_COUNTY);
    let taken = result(app.import_by(operator, edition, register()).await.unwrap());
    assert_eq!((taken.added, taken.assistance_changed), (11, 5));
}

#[tokio::test]
async fn a_clerk_reads_only_the_own_region() {
    let app = TestApp::with_register().await;
    let list = |parent: &str| v1::ListRegionsRequest { parent_code: parent.to_owned(), ..Default::default() };
    let mut clerk = app.client("county", COUNTY);
    let listed = clerk.list_regions(list(TOWN)).await.unwrap().into_inner().regions;
    assert_eq!(listed.iter().map(|region| region.name.as_str()).collect::<Vec<_>>(), ["太平社区", "沙塘村", "沙陂村"]);
    for elsewhere in [OTHER_COUNTY, PROVINCE, "441899000000"] {
        assert_eq!(told(&clerk.list_regions(list(elsewhere)).await.unwrap_err()).1, "REGION_NOT_FOUND");
    }
}
