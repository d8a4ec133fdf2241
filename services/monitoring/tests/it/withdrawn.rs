//! Villages whose code was withdrawn: nothing starts there any more, and what started before may still be entered.

use futures::{StreamExt as _, stream};
use tongxin_proto::{
    batch::v1::ImportOptions,
    monitoring::v1::{
        CaseDraft, Department, HouseholdDraft, HouseholdRows, ImportHouseholdsRequest, IncomeAmount, IncomeKind,
        RecordVillageIncomeRequest, RuleSetDraft, Warning, import_households_request::Part,
    },
};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    drafts::couple,
    lives::{case, observed, rules_from, start},
    made,
    moves::move_to,
    support::{COUNTY, Clients, TestApp, VILLAGE, WITHDRAWN, date, new_request_id, told},
    warnings::{head_of, requests, warning},
};

/// The last day of the code, and the first day after it.
const LAST: &str = "2023-12-31";
const AFTER: &str = "2024-01-01";

fn is_withdrawn<T: std::fmt::Debug>(answered: Result<T, Status>, field: &str) {
    let refused = answered.unwrap_err();
    let expected = (Code::FailedPrecondition, "REGION_WITHDRAWN".to_owned(), vec![field.to_owned()]);
    assert_eq!(told(&refused), expected);
    assert!(refused.message().contains("withdrawn from 2024-01-01 on"), "{}", refused.message());
}

fn registered_on(day: &str, order: u32) -> HouseholdDraft {
    HouseholdDraft { registered_on: date(day), ..couple(WITHDRAWN, order) }
}

async fn earn(caller: &mut Clients, village: &str, year: i32, expected_version: i64) -> Result<i64, Status> {
    let request = RecordVillageIncomeRequest {
        request_id: new_request_id(),
        region_code: village.to_owned(),
        year,
        amounts: vec![IncomeAmount { kind: IncomeKind::Other.into(), amount_fen: 1 }],
        expected_version,
    };
    Ok(caller.villages.record_village_income(request).await?.into_inner().income.unwrap().version)
}

#[tokio::test]
async fn households_are_registered_there_up_to_the_last_day() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    is_withdrawn(hq.register(registered_on(AFTER, 0)).await, "household.region_code");
    is_withdrawn(hq.register(couple(WITHDRAWN, 0)).await, "household.region_code");
    let household = hq.register(registered_on(LAST, 0)).await.unwrap();
    assert_eq!(household.region_code, WITHDRAWN);
}

#[tokio::test]
async fn rows_of_an_import_are_refused_as_single_ones_are() {
    let app = TestApp::start().await;
    let options = ImportOptions { import_id: Uuid::new_v4().to_string(), ..ImportOptions::default() };
    let rows = vec![registered_on(LAST, 0), registered_on(AFTER, 1), couple(VILLAGE, 2)];
    let parts = [Part::Options(options), Part::Rows(HouseholdRows { first_row: 1, rows })];
    let messages = parts.map(|part| ImportHouseholdsRequest { part: Some(part) });
    let answers = app.hq().households.import_households(stream::iter(messages)).await.unwrap().into_inner();
    let answers: Vec<_> = answers.map(|answer| answer.unwrap().status.unwrap()).collect().await;
    let errors = answers.iter().flat_map(|status| &status.errors);
    let errors: Vec<_> = errors.map(|error| (error.row, error.reason.as_str(), error.field.as_str())).collect();
    assert_eq!(errors, [(2, "REGION_WITHDRAWN", "region_code")]);
    assert_eq!(app.count("household").await, 2);
}

#[tokio::test]
async fn a_household_moves_there_up_to_the_last_day_and_away_at_any_time() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    let draft = HouseholdDraft { registered_on: date("2023-01-01"), ..couple(VILLAGE, 0) };
    let household = hq.register(draft).await.unwrap().household_id;
    is_withdrawn(move_to(&mut hq, &household, WITHDRAWN, AFTER).await, "region_code");
    move_to(&mut hq, &household, WITHDRAWN, LAST).await.unwrap();
    move_to(&mut hq, &household, VILLAGE, AFTER).await.unwrap();
}

#[tokio::test]
async fn a_case_is_opened_there_up_to_the_last_day() {
    let (app, _) = start().await;
    let mut hq = app.hq();
    let household = hq.register(registered_on("2023-01-01", 7)).await.unwrap().household_id;
    observed(&app, &household, "2023-11-30", 1_000_000).await;
    let opened = |day: &str| CaseDraft { opened_on: date(day), ..case(&household) };
    is_withdrawn(hq.open(opened(AFTER)).await, "case.household_id");
    assert_eq!(hq.open(opened(LAST)).await.unwrap().region_code, WITHDRAWN);
}

#[tokio::test]
async fn the_income_of_a_year_that_ended_after_it_is_corrected_and_not_begun() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    is_withdrawn(earn(&mut hq, WITHDRAWN, 2024, 0).await, "region_code");
    assert_eq!(earn(&mut hq, WITHDRAWN, 2023, 0).await.unwrap(), 1);
    assert_eq!(earn(&mut hq, VILLAGE, 2024, 0).await.unwrap(), 1);
    let withdraw = "UPDATE region SET valid_until = '2024-01-01' WHERE region_code = 441823107201";
    sqlx::query(withdraw).execute(&app.owner).await.unwrap();
    assert_eq!(earn(&mut hq, VILLAGE, 2024, 1).await.unwrap(), 2);
    assert_eq!(earn(&mut hq, VILLAGE, 2022, 0).await.unwrap(), 1);
}

#[tokio::test]
async fn rules_are_made_for_it_up_to_the_last_day() {
    let app = TestApp::start().await;
    let from = |day: &str| RuleSetDraft { region_code: WITHDRAWN.to_owned(), ..rules_from(day) };
    is_withdrawn(made::store(&mut app.hq(), from(AFTER)).await, "rule_set.region_code");
    made::store(&mut app.hq(), from("2021-01-01")).await.unwrap();
}

#[tokio::test]
async fn a_warning_names_a_village_that_there_is_on_its_day() {
    let app = TestApp::start().await;
    let lives_in = |region: &str, reference: &str, on: &str| Warning {
        region_code: region.to_owned(),
        ..warning(head_of(0), reference, on)
    };
    let mut department = app.department(Department::Health, COUNTY);
    let rows = vec![
        lives_in(WITHDRAWN, "A-1", "2025-06-10"),
        lives_in("441823107299", "A-2", "2025-06-10"),
        lives_in(VILLAGE, "A-3", "2025-06-10"),
    ];
    let answer = department.submit(requests(&new_request_id(), Department::Health, vec![rows])).await.unwrap();
    let errors: Vec<_> =
        answer.errors.iter().map(|error| (error.row, error.reason.as_str(), error.field.as_str())).collect();
    assert_eq!(errors, [(1, "REGION_WITHDRAWN", "region_code"), (2, "REGION_NOT_FOUND", "region_code")]);
    assert_eq!((answer.received, app.count("warning").await), (1, 1));
}
