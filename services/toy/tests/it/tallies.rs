//! What the toy counts: once, much at once, from a file; and what it is called.

use tokio_stream::iter;
use tongxin_platform::testing::eventually;
use tongxin_proto::{
    Date, Parts as _,
    batch::v1::{BatchOptions, ImportOptions, ImportStatus, Outcome},
    register::v1::{Region, RegionLevel, RegionsRecorded},
    toy::v1::{BatchCountRequest, CountDraft, CountRequest, ImportCountsRequest, ListTalliesRequest, Tally},
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::support::{OTHER_VILLAGE, TestApp, VILLAGE};

fn id() -> String {
    Uuid::new_v4().to_string()
}

fn draft(region_code: &str, name: &str, by: i64) -> CountDraft {
    CountDraft { region_code: region_code.to_owned(), name: name.to_owned(), by }
}

fn reason(status: &Status) -> (Code, String) {
    (status.code(), status.get_details_error_info().unwrap().reason)
}

async fn count(app: &TestApp, request_id: &str, count: CountDraft) -> Result<i64, Status> {
    let request = CountRequest { request_id: request_id.to_owned(), count: Some(count) };
    let answer = app.client().count(app.request("village", request)).await?;
    Ok(answer.into_inner().tally.unwrap().reached)
}

/// All tallies, two on a page.
async fn all(app: &TestApp) -> Vec<Tally> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListTalliesRequest { page_size: 2, page_token };
        let page = app.client().list_tallies(app.request("auditor", request)).await.unwrap().into_inner();
        assert!(page.tallies.len() <= 2);
        all.extend(page.tallies);
        if page.next_page_token.is_empty() {
            return all;
        }
        page_token = page.next_page_token;
    }
}

fn reached(tallies: &[Tally]) -> Vec<(&str, &str, i64)> {
    tallies.iter().map(|tally| (tally.region_code.as_str(), tally.name.as_str(), tally.reached)).collect()
}

#[tokio::test]
async fn a_count_is_counted_once_however_often_it_is_sent() {
    let app = TestApp::start().await;
    let request_id = id();
    for _ in 0..2 {
        assert_eq!(count(&app, &request_id, draft(VILLAGE, "wells", 3)).await.unwrap(), 3);
    }
    assert_eq!(count(&app, &id(), draft(VILLAGE, "wells", -1)).await.unwrap(), 2);
    let refused = count(&app, &id(), draft(VILLAGE, "wells", -3)).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::FailedPrecondition, "TALLY_BELOW_ZERO".to_owned()));
    assert_eq!(reached(&all(&app).await), [(VILLAGE, "wells", 2)]);
}

async fn batch(app: &TestApp, all_or_nothing: bool, rows: Vec<CountDraft>) -> Result<Outcome, Status> {
    let options = BatchOptions { request_id: id(), all_or_nothing };
    let parts = [BatchCountRequest::of_options(options), BatchCountRequest::of_rows(0, rows)];
    let answer = app.client().batch_count(app.request("village", iter(parts))).await?;
    Ok(answer.into_inner().outcome.unwrap())
}

#[tokio::test]
async fn a_row_of_a_batch_that_is_refused_is_named_and_refuses_all_if_that_is_asked_for() {
    let app = TestApp::start().await;
    let rows = || vec![draft(VILLAGE, "wells", 2), draft(VILLAGE, "lamps", -1), draft(OTHER_VILLAGE, "wells", 1)];
    let refused = batch(&app, true, rows()).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::FailedPrecondition, "BATCH_REFUSED".to_owned()));
    assert_eq!(all(&app).await, []);

    let outcome = batch(&app, false, rows()).await.unwrap();
    assert_eq!((outcome.accepted, outcome.refused), (2, 1));
    assert_eq!((outcome.errors[0].row, outcome.errors[0].reason.as_str()), (2, "TALLY_BELOW_ZERO"));
    assert_eq!(reached(&all(&app).await), [(VILLAGE, "wells", 2), (OTHER_VILLAGE, "wells", 1)]);
}

async fn import(app: &TestApp, import_id: &str, first_row: i64, rows: Vec<CountDraft>) -> Result<ImportStatus, Status> {
    let options = ImportOptions { import_id: import_id.to_owned(), dry_run: false };
    let parts = [ImportCountsRequest::of_options(options), ImportCountsRequest::of_rows(first_row, rows)];
    let mut answers = app.client().import_counts(app.request("village", iter(parts))).await?.into_inner();
    Ok(answers.message().await?.unwrap().status.unwrap())
}

#[tokio::test]
async fn an_import_goes_on_where_it_ended_and_takes_no_row_twice() {
    let app = TestApp::start().await;
    let import_id = id();
    let rows = |names: &[&str]| names.iter().map(|name| draft(VILLAGE, name, 1)).collect();
    assert_eq!(import(&app, &import_id, 1, rows(&["wells", "lamps"])).await.unwrap().rows_taken, 2);
    let gap = import(&app, &import_id, 4, rows(&["bridges"])).await.unwrap_err();
    assert_eq!(reason(&gap).1, "IMPORT_GAP");
    let status = import(&app, &import_id, 2, rows(&["lamps", "bridges"])).await.unwrap();
    assert_eq!((status.rows_taken, status.accepted), (3, 3));
    assert_eq!(reached(&all(&app).await), [(VILLAGE, "bridges", 1), (VILLAGE, "lamps", 1), (VILLAGE, "wells", 1)]);
}

#[tokio::test]
async fn a_row_of_an_import_that_was_refused_is_taken_when_it_can_be() {
    let app = TestApp::start().await;
    let import_id = id();
    let rows = || vec![draft(VILLAGE, "wells", 1), draft(VILLAGE, "lamps", -1), draft(VILLAGE, "wells", 1)];
    let status = import(&app, &import_id, 1, rows()).await.unwrap();
    assert_eq!((status.rows_taken, status.accepted, status.refused), (3, 2, 1));
    assert!(status.errors[0].refused_time.is_some());
    count(&app, &id(), draft(VILLAGE, "lamps", 2)).await.unwrap();
    for _ in 0..2 {
        let status = import(&app, &import_id, 1, rows()).await.unwrap();
        assert_eq!((status.rows_taken, status.accepted, status.refused), (3, 3, 0));
    }
    assert_eq!(reached(&all(&app).await), [(VILLAGE, "lamps", 1), (VILLAGE, "wells", 2)]);
}

#[tokio::test]
async fn a_village_has_the_name_that_the_register_states() {
    let app = TestApp::start().await;
    count(&app, &id(), draft(VILLAGE, "wells", 1)).await.unwrap();
    assert_eq!(all(&app).await[0].region_name, "");
    let region = Region {
        code: VILLAGE.to_owned(),
        name: "太平村".to_owned(),
        level: RegionLevel::Village.into(),
        valid_from: Some(Date { year: 2021, month: 1, day: 1 }),
        ..Region::default()
    };
    app.state(&RegionsRecorded { regions: vec![region] }).await;
    eventually("the name has arrived", || async { all(&app).await[0].region_name == "太平村" }).await;
}

#[tokio::test]
async fn who_may_read_may_not_count() {
    let app = TestApp::start().await;
    let request = CountRequest { request_id: id(), count: Some(draft(VILLAGE, "wells", 1)) };
    let refused = app.client().count(app.request("auditor", request)).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::PermissionDenied, "PERMISSION_MISSING".to_owned()));
}
