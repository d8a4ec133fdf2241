//! National household numbers: unique within a county, and told of where they are only to who sees it.

use futures::stream;
use tongxin_proto::{
    batch::v1::{ImportOptions, ImportStatus, RowError},
    monitoring::v1::{
        self, HouseholdDraft, HouseholdRows, ImportHouseholdsRequest, MergeHouseholdsRequest, MoveHouseholdRequest,
        ObservationRows, UndoMergeRequest, import_households_request::Part,
    },
};
use tonic::{Code, Status};

use crate::{
    drafts::couple,
    made,
    support::{
        COUNTY, Clients, OTHER_COUNTY, OTHER_VILLAGE, PROVINCE, TestApp, VILLAGE, VILLAGE_ELSEWHERE, date,
        new_request_id, told,
    },
};

fn numbered(village: &str, order: u32, number: &str) -> HouseholdDraft {
    HouseholdDraft { household_number: number.to_owned(), registered_on: date("2025-01-01"), ..couple(village, order) }
}

async fn registered(app: &TestApp, village: &str, order: u32, number: &str) -> String {
    app.hq().register(numbered(village, order, number)).await.unwrap().household_id
}

fn taken(status: &Status) -> (Code, &'static str, Vec<String>) {
    let (code, reason, fields) = told(status);
    assert_eq!(reason, "HOUSEHOLD_NUMBER_TAKEN", "{status:?}");
    (code, "HOUSEHOLD_NUMBER_TAKEN", fields)
}

async fn number_of(app: &TestApp, household: &str) -> String {
    app.hq().household(household).await.unwrap().household_number
}

async fn import(caller: &mut Clients, dry_run: bool, drafts: Vec<HouseholdDraft>) -> (i64, Vec<RowError>) {
    import_messages(caller, dry_run, vec![drafts]).await
}

async fn import_messages(
    caller: &mut Clients,
    dry_run: bool,
    messages: Vec<Vec<HouseholdDraft>>,
) -> (i64, Vec<RowError>) {
    let options = ImportOptions { import_id: new_request_id(), dry_run };
    let mut parts = vec![Part::Options(options)];
    let mut first_row = 1;
    for rows in messages {
        let next_row = first_row + i64::try_from(rows.len()).unwrap();
        parts.push(Part::Rows(HouseholdRows { first_row, rows }));
        first_row = next_row;
    }
    let requests: Vec<_> = parts.into_iter().map(|part| ImportHouseholdsRequest { part: Some(part) }).collect();
    let mut answers = caller.households.import_households(stream::iter(requests)).await.unwrap().into_inner();
    let mut last = ImportStatus::default();
    let mut errors = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        last = answer.status.unwrap();
        errors.extend(last.errors.clone());
    }
    (last.accepted, errors)
}

#[tokio::test]
async fn a_number_is_one_households_in_a_county_and_another_ones_in_the_next() {
    let app = TestApp::start().await;
    let here = registered(&app, VILLAGE, 0, "77").await;
    let there = registered(&app, VILLAGE_ELSEWHERE, 10, "77").await;
    assert_ne!(here, there);
    let again = app.clients("village", OTHER_VILLAGE).register(numbered(OTHER_VILLAGE, 20, "77")).await.unwrap_err();
    assert_eq!(taken(&again).2, ["household.household_number"]);
    assert!(
        !again.message().contains(&here) && !again.message().contains(VILLAGE),
        "it tells neither place nor holder"
    );
}

#[tokio::test]
async fn a_dry_run_tells_of_numbers_that_the_caller_sees_alone() {
    let app = TestApp::start().await;
    registered(&app, VILLAGE, 0, "77").await;
    let rows = || {
        vec![numbered(OTHER_VILLAGE, 20, "77"), numbered(OTHER_VILLAGE, 22, "78"), numbered(OTHER_VILLAGE, 24, "78")]
    };
    // Of the next village, and of another town of the county: neither sees who has 77.
    let mut next = app.clients("town", OTHER_VILLAGE);
    let (accepted, errors) = import(&mut next, true, rows()).await;
    let refused: Vec<_> = errors.iter().map(|error| (error.row, error.reason.as_str())).collect();
    assert_eq!((accepted, refused), (2, vec![(3, "ROW_TWICE")]), "78 stands twice in the message");
    let (accepted, errors) = import(&mut app.clients("county", COUNTY), true, rows()).await;
    let refused: Vec<_> = errors.iter().map(|error| error.row).collect();
    assert_eq!((accepted, refused), (1, vec![1, 3]), "the county sees it");
    assert_eq!(app.count("household").await, 1);
    // A hidden number that stands twice is answered like one that nobody has.
    for (messages, reason) in [
        (vec![vec!["77", "77"]], "ROW_TWICE"),
        (vec![vec!["99", "99"]], "ROW_TWICE"),
        (vec![vec!["77"], vec!["77"]], "HOUSEHOLD_NUMBER_TAKEN"),
        (vec![vec!["99"], vec!["99"]], "HOUSEHOLD_NUMBER_TAKEN"),
    ] {
        let drafts = |numbers: &Vec<&str>| {
            numbers.iter().zip(40..).map(|(number, order)| numbered(OTHER_VILLAGE, 2 * order, number)).collect()
        };
        let (accepted, errors) = import_messages(&mut next, true, messages.iter().map(drafts).collect()).await;
        let refused: Vec<_> = errors.iter().map(|error| (error.row, error.reason.as_str())).collect();
        assert_eq!((accepted, refused), (1, vec![(2, reason)]), "{messages:?}");
    }
    // In earnest it is refused, and counted.
    let (accepted, errors) = import(&mut next, false, rows()).await;
    let refused: Vec<_> = errors.iter().map(|error| error.row).collect();
    assert_eq!((accepted, refused), (1, vec![1, 3]));
}

async fn moves(app: &TestApp, household: &str, new_number: &str) -> Result<v1::Household, Status> {
    let request = MoveHouseholdRequest {
        request_id: new_request_id(),
        household_id: household.to_owned(),
        region_code: VILLAGE_ELSEWHERE.to_owned(),
        moved_on: date("2025-06-01"),
        expected_version: 0,
        new_household_number: new_number.to_owned(),
    };
    Ok(app.hq().households.move_household(request).await?.into_inner().household.unwrap())
}

#[tokio::test]
async fn who_comes_to_a_county_where_the_number_is_taken_gets_another() {
    let app = TestApp::start().await;
    let here = registered(&app, VILLAGE, 0, "77").await;
    registered(&app, VILLAGE_ELSEWHERE, 10, "77").await;
    registered(&app, VILLAGE_ELSEWHERE, 12, "78").await;
    for number in ["", "78"] {
        let refused = moves(&app, &here, number).await.unwrap_err();
        assert_eq!(
            taken(&refused),
            (Code::AlreadyExists, "HOUSEHOLD_NUMBER_TAKEN", vec!["new_household_number".to_owned()])
        );
    }
    assert_eq!(app.hq().household(&here).await.unwrap().region_code, VILLAGE, "it stays where it is");
    let moved = moves(&app, &here, "79").await.unwrap();
    assert_eq!((moved.region_code.as_str(), moved.household_number.as_str()), (VILLAGE_ELSEWHERE, "79"));
    // Its number is free where it was.
    registered(&app, OTHER_VILLAGE, 30, "77").await;
}

#[tokio::test]
async fn a_merge_and_its_undoing_bring_no_number_that_is_taken() {
    let app = TestApp::start().await;
    let kept = registered(&app, VILLAGE, 0, "").await;
    registered(&app, OTHER_VILLAGE, 10, "77").await;
    let merged = registered(&app, VILLAGE_ELSEWHERE, 20, "77").await;
    let merge = async |new_number: &str| {
        let request = MergeHouseholdsRequest {
            request_id: new_request_id(),
            kept_id: kept.clone(),
            merged_id: merged.clone(),
            take_household_number: true,
            new_household_number: new_number.to_owned(),
            ..MergeHouseholdsRequest::default()
        };
        let merged = app.hq().households.merge_households(request).await?.into_inner();
        Ok::<_, Status>(merged.merge.unwrap().merge_id)
    };
    let refused = merge("").await.unwrap_err();
    assert_eq!(taken(&refused).2, ["new_household_number"]);
    let merge_id = merge("79").await.unwrap();
    assert_eq!(number_of(&app, &kept).await, "79");

    registered(&app, VILLAGE_ELSEWHERE, 30, "77").await;
    let undo = async |new_number: &str| {
        let request = UndoMergeRequest {
            request_id: new_request_id(),
            merge_id: merge_id.clone(),
            new_household_number: new_number.to_owned(),
        };
        app.hq().households.undo_merge(request).await.map(drop)
    };
    let refused = undo("").await.unwrap_err();
    assert_eq!(taken(&refused).2, ["new_household_number"]);
    undo("80").await.unwrap();
    assert_eq!(number_of(&app, &merged).await, "80");
}

fn observed(number: &str, region: &str) -> v1::ObservationDraft {
    v1::ObservationDraft {
        household_id: String::new(),
        household_number: number.to_owned(),
        region_code: region.to_owned(),
        window_ends_on: date("2025-05-31"),
        ..made::observation("")
    }
}

#[tokio::test]
async fn a_number_of_several_counties_needs_the_county() {
    let app = TestApp::start().await;
    let here = registered(&app, VILLAGE, 0, "77").await;
    let there = registered(&app, VILLAGE_ELSEWHERE, 10, "77").await;
    let refused = made::record(&mut app.hq(), observed("77", "")).await.unwrap_err();
    assert_eq!(
        told(&refused),
        (Code::InvalidArgument, "HOUSEHOLD_NUMBER_AMBIGUOUS".to_owned(), vec!["observation.region_code".to_owned()])
    );
    let refused = made::record(&mut app.hq(), observed("77", PROVINCE)).await.unwrap_err();
    assert_eq!(told(&refused).1, "HOUSEHOLD_NUMBER_AMBIGUOUS");
    for (mut caller, region, whose) in [
        (app.hq(), COUNTY, &here),
        (app.hq(), VILLAGE_ELSEWHERE, &there),
        (app.clients("village", VILLAGE), "", &here),
        (app.clients("county", OTHER_COUNTY), "", &there),
    ] {
        let recorded = made::record(&mut caller, observed("77", region)).await.unwrap();
        assert_eq!(&recorded.observation.unwrap().stated.unwrap().household_id, whose, "{region}");
    }
    // Elsewhere is answered like nowhere.
    let elsewhere = made::record(&mut app.clients("village", VILLAGE), observed("77", OTHER_COUNTY)).await.unwrap_err();
    let nowhere = made::record(&mut app.clients("village", VILLAGE), observed("99", "")).await.unwrap_err();
    assert_eq!((elsewhere.message(), elsewhere.details()), (nowhere.message(), nowhere.details()));

    let options = ImportOptions { import_id: new_request_id(), dry_run: false };
    let rows = ObservationRows { first_row: 1, rows: vec![observed("77", ""), observed("77", COUNTY)] };
    let parts =
        [v1::import_observations_request::Part::Options(options), v1::import_observations_request::Part::Rows(rows)];
    let requests = parts.map(|part| v1::ImportObservationsRequest { part: Some(part) });
    let mut answers = app.hq().observations.import_observations(stream::iter(requests)).await.unwrap().into_inner();
    let mut refused = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        refused.extend(answer.status.unwrap().errors.into_iter().map(|error| (error.row, error.reason)));
    }
    assert_eq!(refused, [(1, "HOUSEHOLD_NUMBER_AMBIGUOUS".to_owned())]);
}
