//! Households that move to another village.

use tongxin_proto::monitoring::v1::{self, MoveHouseholdRequest, RemovalKind, Risk, Step};
use tonic::{Code, Status};

use crate::{
    drafts::id_number,
    lives::{at_risk, case, measure, removal, start, step},
    support::{
        COUNTY, Clients, OTHER_VILLAGE, TOWN, TestApp, VILLAGE, VILLAGE_ELSEWHERE, date, day, new_request_id, told,
    },
};

pub async fn move_to(caller: &mut Clients, household: &str, to: &str, on: &str) -> Result<v1::Household, Status> {
    let request = MoveHouseholdRequest {
        request_id: new_request_id(),
        household_id: household.to_owned(),
        region_code: to.to_owned(),
        moved_on: date(on),
        expected_version: 0,
        new_household_number: String::new(),
    };
    Ok(caller.households.move_household(request).await?.into_inner().household.unwrap())
}

#[tokio::test]
async fn access_follows_a_household_at_once() {
    let app = TestApp::start().await;
    let draft = v1::HouseholdDraft { registered_on: date("2025-01-01"), ..crate::drafts::couple(VILLAGE, 0) };
    let household = app.hq().register(draft).await.unwrap().household_id;
    let moved = move_to(&mut app.clients("county", COUNTY), &household, OTHER_VILLAGE, "2025-06-01").await.unwrap();
    assert_eq!((moved.region_code.as_str(), moved.moved_on, moved.version), (OTHER_VILLAGE, date("2025-06-01"), 2));

    let number = id_number("19800101", 1);
    let (mut before, mut now) = (app.clients("village", VILLAGE), app.clients("village", OTHER_VILLAGE));
    assert_eq!(told(&before.household(&household).await.unwrap_err()).1, "HOUSEHOLD_NOT_FOUND");
    assert!(before.by_id_number(&number).await.is_empty());
    assert_eq!(now.household(&household).await.unwrap(), moved);
    assert_eq!(now.by_id_number(&number).await, [household.as_str()]);
    assert_eq!(now.reveal(&household).await.unwrap().members[0].id_number, number, "seals hold across the move");

    for (day, here, there) in [("2025-05-31", 1, 0), ("2025-06-01", 0, 1)] {
        assert_eq!((app.counted(VILLAGE, day).await, app.counted(OTHER_VILLAGE, day).await), (here, there), "{day}");
    }
    let told_of = app.events::<v1::HouseholdMoved>().await;
    assert_eq!((told_of.len(), told_of[0].from_region_code.as_str()), (1, VILLAGE));
}

/// The tables with a region and a column, from the catalogue.
async fn tables_with(app: &TestApp, column: &str) -> Vec<String> {
    let query = "SELECT table_name::text FROM information_schema.columns
                 WHERE table_schema = 'public' AND column_name IN ('region_code', $1)
                 GROUP BY table_name HAVING count(*) = 2 ORDER BY table_name";
    sqlx::query_scalar(query).bind(column).fetch_all(&app.owner).await.unwrap()
}

#[tokio::test]
async fn all_that_belongs_to_a_household_moves_with_it() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    // Poor by its newest window, which makes a verdict and a signal.
    crate::lives::observed(&app, &household, "2025-05-31", 1_000_000).await;
    let case = hq.monitored(&household).await.case_id;
    hq.plan(&case, measure(Risk::Illness, "2024-07-01")).await.unwrap();
    let merge = v1::MergeHouseholdsRequest {
        request_id: new_request_id(),
        kept_id: household.clone(),
        merged_id: app.registered(VILLAGE, 9).await.household_id,
        ..v1::MergeHouseholdsRequest::default()
    };
    hq.households.merge_households(merge).await.unwrap();
    let check = v1::CheckHouseholdsRequest { region_code: VILLAGE.to_owned() };
    let mut answers = hq.villages.check_households(check).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}

    move_to(&mut hq, &household, OTHER_VILLAGE, "2025-06-30").await.unwrap();
    let mut seen: Vec<String> = Vec::new();
    for (column, own) in [
        ("household_id", "SELECT $1::uuid"),
        ("kept_id", "SELECT $1::uuid"),
        ("case_id", "SELECT case_id FROM cases WHERE household_id = $1::uuid"),
        ("signal_id", "SELECT signal_id FROM signal WHERE household_id = $1::uuid"),
    ] {
        for table in tables_with(&app, column).await {
            // A signal lies with its household, whether it led to a case or not; a warning with its sender.
            if seen.contains(&table) || table == "warning" {
                continue;
            }
            let query = format!(
                "SELECT count(*) FILTER (WHERE region_code = 441823107202), count(*) FROM {table} WHERE {column} IN ({own})"
            );
            let query = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(&household);
            let (moved, all): (i64, i64) = query.fetch_one(&app.owner).await.unwrap();
            assert!(all > 0, "the household has nothing in {table}");
            assert_eq!(moved, all, "{table}");
            seen.push(table);
        }
    }
    let known = [
        ["household", "member", "profile", "observation", "verdict", "signal"],
        ["signal_source", "cases", "case_entry", "measure", "defect", "merge"],
    ];
    for table in known.as_flattened() {
        assert!(seen.iter().any(|one| one == table), "{table}");
    }
}

#[tokio::test]
async fn a_household_moves_within_the_callers_region_and_forward_in_time() {
    let app = TestApp::start().await;
    let draft = v1::HouseholdDraft { registered_on: date("2025-01-01"), ..crate::drafts::couple(VILLAGE, 0) };
    let household = app.hq().register(draft).await.unwrap().household_id;
    let mut county = app.clients("county", COUNTY);
    for (to, on, code, reason) in [
        (VILLAGE_ELSEWHERE, "2025-06-01", Code::NotFound, "REGION_NOT_FOUND"),
        ("441823107299", "2025-06-01", Code::NotFound, "REGION_NOT_FOUND"),
        (TOWN, "2025-06-01", Code::InvalidArgument, "REGION_LEVEL_WRONG"),
        (OTHER_VILLAGE, "2025-07-01", Code::InvalidArgument, "DATE_IN_FUTURE"),
        (OTHER_VILLAGE, "2024-12-31", Code::FailedPrecondition, "DATE_ORDER"),
    ] {
        let refused = move_to(&mut county, &household, to, on).await.unwrap_err();
        assert_eq!((refused.code(), told(&refused).1.as_str()), (code, reason), "{to} {on}");
    }
    move_to(&mut county, &household, OTHER_VILLAGE, "2025-06-01").await.unwrap();
    let back = move_to(&mut county, &household, VILLAGE, "2025-05-31").await.unwrap_err();
    assert_eq!(told(&back).1, "DATE_ORDER");
    let stayed = move_to(&mut county, &household, OTHER_VILLAGE, "2025-06-15").await.unwrap();
    assert_eq!((stayed.version, app.events::<v1::HouseholdMoved>().await.len()), (2, 1));
    let foreign = move_to(&mut app.clients("town", "441825104000"), &household, VILLAGE_ELSEWHERE, "2025-06-20").await;
    assert_eq!(told(&foreign.unwrap_err()).1, "HOUSEHOLD_NOT_FOUND");
}

#[tokio::test]
async fn what_is_stated_of_a_case_lies_on_the_day_of_the_last_move_or_later() {
    let (app, removed) = start().await;
    let mut hq = app.hq();
    let others = [at_risk(&app, 1).await, at_risk(&app, 2).await, at_risk(&app, 3).await];
    let [monitored, identifying, new] = others.each_ref();
    let removed_case = hq.removed(&removed).await.case_id;
    let monitored_case = hq.monitored(monitored).await.case_id;
    let identifying_case = hq.open(case(identifying)).await.unwrap().case_id;
    sqlx::query("UPDATE household SET registered_on = '2021-01-01'").execute(&app.owner).await.unwrap();
    let moves = [(&removed, "2025-06-20"), (monitored, "2025-06-20"), (identifying, "2024-06-20"), (new, "2024-06-11")];
    for (household, on) in moves {
        move_to(&mut hq, household, OTHER_VILLAGE, on).await.unwrap();
    }
    let authorised = |on: &str| step(&identifying_case, Step::Authorisation, day(on));
    let natural = |on: &str| removal(&monitored_case, RemovalKind::Natural, on);
    let before = app.all_of_cases().await;
    for (refused, field) in [
        (hq.open(case(new)).await, "case.opened_on"),
        (hq.step(authorised("2024-06-19")).await, "step.occurred_on"),
        (hq.propose(natural("2025-06-19")).await, "removal.proposed_on"),
        (hq.roll_back(&removed_case, "2025-06-19").await, "occurred_on"),
    ] {
        let status = refused.unwrap_err();
        assert_eq!(told(&status), (Code::FailedPrecondition, "DATE_ORDER".to_owned(), vec![field.to_owned()]));
    }
    assert_eq!(app.all_of_cases().await, before);

    hq.open(v1::CaseDraft { opened_on: date("2024-06-11"), ..case(new) }).await.unwrap();
    hq.step(authorised("2024-06-20")).await.unwrap();
    hq.propose(natural("2025-06-20")).await.unwrap();
    hq.roll_back(&removed_case, "2025-06-20").await.unwrap();
}
