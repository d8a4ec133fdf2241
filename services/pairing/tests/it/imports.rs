//! Imports of the register.

use futures::TryStreamExt as _;
use tongxin_platform::region::RegionCode;
use tongxin_proto::{
    pairing::v1::{
        self,
        ImportStage::{Checking, Following, Merging, Publishing, Receiving, Unspecified},
        RegionEdition,
        import_regions_request::Part,
    },
    register::v1::{
        RegionLevel::{self, City, County, Province, Town, Village},
        RegionsRecorded,
    },
};
use tonic::Code;

use crate::support::{
    COUNTY, OTHER_COUNTY, OTHER_VILLAGE, PROVINCE, TOWN, TestApp, VILLAGE, date, new_request_id, party_recipient,
    refused, register, row, told,
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
    let told_of: usize = app.events::<RegionsRecorded>().await.iter().map(|event| event.regions.len()).sum();
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
    let other = app.client("operator", "000000000000");
    let second = result(app.import_by(other, edition, register()).await.unwrap());
    assert_eq!((second.rows, second.added, second.changed), (11, 6, 0));
    // What the first one added is not told of again.
    let told_of: usize = app.events::<RegionsRecorded>().await.iter().map(|event| event.regions.len()).sum();
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
        (Code::FailedPrecondition, "REGION_WITHDRAWN".to_owned(), vec!["organisation.region_code".to_owned()])
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

/// What a register holds outside a region, and what was told of it.
async fn outside(app: &TestApp, region: &str) -> (String, i64, i64) {
    let inside = RegionCode::parse(region).unwrap().range();
    let kept = "SELECT coalesce(string_agg(said::text, ' ' ORDER BY said::text), '') FROM (
            SELECT to_jsonb(region) FROM region WHERE region_code < $1 OR region_code >= $2
            UNION ALL SELECT to_jsonb(assistance) FROM assistance WHERE region_code < $1 OR region_code >= $2
        ) AS kept (said)";
    let kept = sqlx::query_scalar(kept).bind(inside.from).bind(inside.until).fetch_one(&app.owner).await.unwrap();
    (kept, app.all_events().await, app.set_aside().await)
}

fn edition(effective_from: &str, complete_for: &str, row_count: i64) -> RegionEdition {
    RegionEdition {
        request_id: new_request_id(),
        effective_from: date(effective_from),
        complete_for: complete_for.to_owned(),
        source: String::new(),
        row_count,
    }
}

fn renamed(code: &str, level: RegionLevel, parent: &str) -> v1::RegionRow {
    row(code, "新名", level, parent, false)
}

#[tokio::test]
async fn rows_outside_the_tokens_region_are_refused_like_places_that_are_nowhere() {
    let app = TestApp::with_register().await;
    let nowhere = "441825199201";
    for own in [OTHER_COUNTY, OTHER_VILLAGE, "450000000000"] {
        let before = outside(&app, own).await;
        for rows in [
            vec![renamed(VILLAGE, Village, TOWN)],
            vec![renamed("441823107999", Village, TOWN)],
            vec![renamed(TOWN, Town, COUNTY)],
            vec![renamed(nowhere, Village, "441825199000")],
        ]
        .into_iter()
        .filter(|rows| !rows[0].code.starts_with(&own[..6]) || own == OTHER_VILLAGE)
        {
            let refused = app.import_by(app.client("operator", own), edition("2025-01-01", "", 0), rows.clone()).await;
            let refused = refused.unwrap_err();
            let expected = (Code::NotFound, "REGION_NOT_FOUND".to_owned(), vec!["rows.rows".to_owned()]);
            assert_eq!(told(&refused), expected, "{own} {rows:?}");
            let text = format!("row 1: region {} does not exist", rows[0].code);
            assert!(refused.message().starts_with(&text), "{}", refused.message());
        }
        assert_eq!(outside(&app, own).await, before, "{own}");
    }
}

#[tokio::test]
async fn one_row_outside_refuses_the_edition_and_each_is_named() {
    let app = TestApp::with_register().await;
    let before = app.all_events().await;
    let rows = vec![
        renamed(VILLAGE, Village, TOWN),
        renamed(OTHER_COUNTY, County, "441800000000"),
        renamed("441825104200", Village, "441825104000"),
    ];
    let refused = app.import_by(app.client("operator", COUNTY), edition("2025-01-01", "", 0), rows).await.unwrap_err();
    assert_eq!(told(&refused).1, "REGION_NOT_FOUND");
    for part in ["row 2: region 441825000000", "row 3: region 441825104200"] {
        assert!(refused.message().contains(part), "{}", refused.message());
    }
    assert!(!refused.message().contains("row 1"), "{}", refused.message());
    assert_eq!((app.all_events().await, app.set_aside().await), (before, 0));
}

#[tokio::test]
async fn nothing_is_withdrawn_outside_the_tokens_region() {
    let app = TestApp::with_register().await;
    for own in [OTHER_COUNTY, VILLAGE, "450000000000"] {
        let before = outside(&app, own).await;
        for complete_for in [TOWN, COUNTY, PROVINCE, "441826000000"] {
            let operator = app.client("operator", own);
            let rows = vec![renamed(VILLAGE, Village, TOWN)];
            let refused = app.import_by(operator, edition("2025-01-01", complete_for, 1), rows).await.unwrap_err();
            let expected = (Code::NotFound, "REGION_NOT_FOUND".to_owned(), vec!["edition.complete_for".to_owned()]);
            assert_eq!(told(&refused), expected, "{own} {complete_for}");
        }
        assert_eq!(outside(&app, own).await, before, "{own}");
    }
    // Within it a town withdraws its own.
    let rows = vec![row(TOWN, "太平镇", Town, COUNTY, true), row(VILLAGE, "沙塘村", Village, TOWN, true)];
    let before = outside(&app, TOWN).await.0;
    let taken = app.import_by(app.client("operator", TOWN), edition("2025-01-01", TOWN, 2), rows).await.unwrap();
    assert_eq!((result(taken).withdrawn, result(taken).assistance_changed), (2, 1));
    assert_eq!(outside(&app, TOWN).await.0, before);
}

#[tokio::test]
async fn an_edition_does_not_tell_nor_change_what_lies_above_its_region() {
    let app = TestApp::with_register().await;
    let import = async |rows: Vec<v1::RegionRow>| {
        app.import_by(app.client("operator", COUNTY), edition("2025-01-01", "", 0), rows).await
    };
    // As it is registered, the county may be named.
    let taken = import(vec![row(COUNTY, "阳山县改", County, "441800000000", false)]).await.unwrap();
    assert_eq!(result(taken).changed, 1);
    let there = import(vec![row(COUNTY, "阳山县", County, PROVINCE, false)]).await.unwrap_err();
    assert_eq!(told(&there).1, "REGION_ROWS_INVALID");
    assert_eq!(there.message(), "row 1: the parent 440000000000 is not registered");
    let torn_off = row(COUNTY, "阳山县", County, "", false);
    assert_eq!(told(&import(vec![torn_off]).await.unwrap_err()).1, "REGION_ROWS_INVALID");
    let ask = v1::GetRegionRequest { code: COUNTY.to_owned() };
    let county = app.hq().get_region(ask).await.unwrap().into_inner().region.unwrap();
    assert_eq!((county.name.as_str(), county.parent_code.as_str()), ("阳山县改", "441800000000"));
    // Somebody new has no parent elsewhere, whether that is registered or not.
    for (own, parent) in [("441826000000", "441800000000"), ("450305000000", "450000000000")] {
        let (newcomer, rows) = (app.client("operator", own), vec![row(own, "新县", County, parent, false)]);
        let refused = app.import_by(newcomer, edition("2025-01-01", "", 0), rows).await.unwrap_err();
        assert_eq!(refused.message(), format!("row 1: the parent {parent} is not registered"));
    }
}

#[tokio::test]
async fn an_edition_of_one_county_is_nothing_to_an_older_one_of_another() {
    let app = TestApp::with_register().await;
    let import = async |own: &str, edition: RegionEdition, rows: Vec<v1::RegionRow>| {
        app.import_by(app.client("operator", own), edition, rows).await
    };
    let villages = |name| vec![row(VILLAGE, name, Village, TOWN, true)];
    import(OTHER_COUNTY, edition("2025-06-01", "", 0), vec![renamed("441825104299", Village, "441825104000")])
        .await
        .unwrap();
    let taken = import(COUNTY, edition("2025-03-01", "", 0), villages("沙塘新村")).await.unwrap();
    assert_eq!(result(taken).changed, 1);
    // What was said of the own region counts, whoever said it and were it only that nothing changed.
    app.import_as(edition("2025-05-01", "", 0), villages("沙塘新村")).await.unwrap();
    let older = import(COUNTY, edition("2025-04-01", "", 0), villages("沙塘村")).await.unwrap_err();
    assert_eq!(told(&older).1, "EDITION_OUTDATED");
    assert!(older.message().contains("2025-05-01"), "{}", older.message());
    // A code that a complete edition did not have is not brought back by an older one.
    let whole = edition("2025-06-02", TOWN, 1);
    import(COUNTY, whole, vec![row(TOWN, "太平镇", Town, COUNTY, true)]).await.unwrap();
    let fresh = vec![renamed("441823107299", Village, TOWN)];
    let older = import(TOWN, edition("2025-06-01", "", 0), fresh.clone()).await.unwrap_err();
    assert!(older.message().contains("2025-06-02"), "{}", older.message());
    let complete = import(TOWN, edition("2025-06-01", TOWN, 1), fresh.clone()).await.unwrap_err();
    assert_eq!(told(&complete).1, "EDITION_OUTDATED");
    import(TOWN, edition("2025-06-02", "", 0), fresh).await.unwrap();
}

#[tokio::test]
async fn a_register_of_several_provinces_is_brought_by_a_token_of_the_country() {
    let app = TestApp::start().await;
    let mut rows = register();
    rows.push(row("450000000000", "广西", Province, "", false));
    rows.push(row("450300000000", "桂林市", City, "450000000000", false));
    let country = app.client("operator", "000000000000");
    let taken = app.import_by(country.clone(), edition("2025-01-01", "", 0), rows.clone()).await.unwrap();
    assert_eq!((result(taken).added, result(taken).assistance_changed), (13, 5));
    let again = app.import_by(country, edition("2025-01-01", PROVINCE, 11), register()).await.unwrap();
    assert_eq!((result(again).withdrawn, result(again).changed), (0, 0));
    let refused = app.import_as(edition("2025-01-01", "", 0), rows).await.unwrap_err();
    assert!(refused.message().starts_with("row 12: region 450000000000 does not exist"), "{}", refused.message());
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
