//! Days that cannot be: years without their century, and days in an order that nothing happens in.

use tongxin_proto::{
    Date,
    monitoring::v1::{self, Department, GetFunnelRequest, HouseholdDraft, ListDisclosuresRequest, Relation, Risk},
};
use tonic::{Code, Status};

use crate::{
    drafts::{couple, household, id_number, member},
    lives::{case, start},
    made::{self, observation, record},
    signals::{decision, report},
    support::{COUNTY, PROVINCE, TOWN, TestApp, VILLAGE, date, new_request_id, told},
    warnings::warning,
};

/// As `25-12-31` was read once.
const OF_TWO_DIGITS: Option<Date> = Some(Date { year: 25, month: 12, day: 31 });

fn too_early(status: &Status, field: &str) {
    assert_eq!(told(status), (Code::InvalidArgument, "DATE_TOO_EARLY".to_owned(), vec![field.to_owned()]), "{status}");
    assert!(status.message().contains("a day from 1949-10-01 on is needed"), "{status}");
}

fn order(status: &Status, code: Code, field: &str) {
    assert_eq!(told(status), (code, "DATE_ORDER".to_owned(), vec![field.to_owned()]), "{status}");
}

#[tokio::test]
async fn a_year_without_its_century_is_refused_whoever_enters_it() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE, 0).await;
    for mut caller in [app.hq(), app.clients("county", COUNTY), app.clients("town", TOWN)] {
        let draft = HouseholdDraft { registered_on: OF_TWO_DIGITS, ..couple(VILLAGE, 1) };
        too_early(&caller.register(draft).await.unwrap_err(), "household.registered_on");
        let window = v1::ObservationDraft { window_ends_on: OF_TWO_DIGITS, ..observation(&household.household_id) };
        too_early(&record(&mut caller, window).await.unwrap_err(), "observation.window_ends_on");
        let asked = GetFunnelRequest { region_code: TOWN.to_owned(), from: OF_TWO_DIGITS, until: date("2025-06-30") };
        too_early(&caller.signals.get_funnel(asked).await.unwrap_err(), "from");
        let opened = v1::CaseDraft { opened_on: OF_TWO_DIGITS, ..case(&household.household_id) };
        too_early(&caller.open(opened).await.unwrap_err(), "case.opened_on");
    }
    let set = v1::RuleSetDraft { effective_from: OF_TWO_DIGITS, ..made::rule_set(PROVINCE) };
    too_early(&made::store(&mut app.hq(), set).await.unwrap_err(), "rule_set.effective_from");
    let holiday = |day| v1::Holiday { day, worked: false, name: String::new() };
    let holidays = v1::SetHolidaysRequest {
        request_id: new_request_id(),
        year: 2025,
        holidays: vec![holiday(date("2025-01-01")), holiday(OF_TWO_DIGITS)],
        region_code: PROVINCE.to_owned(),
    };
    too_early(&app.hq().rules.set_holidays(holidays).await.unwrap_err(), "holidays[1].day");
    assert_eq!((app.count("household").await, app.count("observation").await), (1, 0));
}

#[tokio::test]
async fn the_first_day_that_is_taken_is_that_of_the_republic() {
    let app = TestApp::start().await;
    let people = || vec![member("张三丰", id_number("19400101", 1), Relation::Head)];
    let on = |day| HouseholdDraft { registered_on: date(day), ..household(VILLAGE, people()) };
    too_early(&app.hq().register(on("1949-09-30")).await.unwrap_err(), "household.registered_on");
    let refused = app.clients("town", TOWN).register(on("1949-10-01")).await.unwrap_err();
    assert_eq!(told(&refused).1, "HISTORY_NOT_ALLOWED");
    assert_eq!(app.hq().register(on("1949-10-01")).await.unwrap().registered_on, date("1949-10-01"));
    let born = |day: &str| household(VILLAGE, vec![member("张三丰", id_number(day, 1), Relation::Head)]);
    let refused = app.hq().register(born("18991231")).await.unwrap_err();
    assert_eq!(
        (told(&refused).1, told(&refused).2),
        ("ID_NUMBER_INVALID".to_owned(), vec!["household.members[0].id_number".to_owned()])
    );
    app.hq().register(born("19000101")).await.unwrap();
}

#[tokio::test]
async fn rows_are_refused_for_their_years_as_well() {
    let app = TestApp::start().await;
    let rows = vec![
        v1::Warning { occurred_on: OF_TWO_DIGITS, ..warning(id_number("19800101", 1), "A-1", "2025-06-10") },
        warning(id_number("19800101", 1), "A-2", "2025-06-10"),
    ];
    let answer = app.department(Department::Health, COUNTY).warn(rows).await;
    let errors: Vec<_> =
        answer.errors.iter().map(|error| (error.row, error.reason.as_str(), error.field.as_str())).collect();
    assert_eq!((answer.received, errors), (1, vec![(1, "DATE_TOO_EARLY", "occurred_on")]));
}

#[tokio::test]
async fn nobody_leaves_or_is_warned_of_before_being_born() {
    let app = TestApp::start().await;
    let child = member("张小宝", id_number("20250601", 1), Relation::Child);
    let child = v1::MemberDraft {
        labour: v1::LabourAbility::None.into(),
        schooling: v1::Schooling::BeforeSchool.into(),
        work: v1::Work::None.into(),
        work_months: 0,
        ..child
    };
    let mut draft = HouseholdDraft { registered_on: date("2025-03-01"), ..couple(VILLAGE, 0) };
    draft.members.push(child);
    let household = app.hq().register(draft).await.unwrap();
    let leave = |place: usize, day: &str| v1::RemoveMemberRequest {
        request_id: new_request_id(),
        household_id: household.household_id.clone(),
        member_id: household.members[place].member_id.clone(),
        left_on: date(day),
        expected_version: 0,
    };
    let mut hq = app.hq();
    for (place, day) in [(2, "2025-05-31"), (1, "2025-02-28")] {
        let refused = hq.households.remove_member(leave(place, day)).await.unwrap_err();
        order(&refused, Code::FailedPrecondition, "left_on");
        assert!(!refused.message().contains("2025-06-01"), "a day of birth is personal: {refused}");
    }
    hq.households.remove_member(leave(2, "2025-06-01")).await.unwrap();

    let unborn = v1::HouseholdDraft { registered_on: date("1979-12-31"), ..couple(VILLAGE, 5) };
    order(&hq.register(unborn).await.unwrap_err(), Code::InvalidArgument, "household.registered_on");

    let rows = vec![
        warning(id_number("20250601", 1), "A-1", "2025-05-31"),
        warning(id_number("20250601", 1), "A-2", "2025-06-01"),
    ];
    let answer = app.department(Department::Health, COUNTY).warn(rows).await;
    let errors: Vec<_> =
        answer.errors.iter().map(|error| (error.row, error.reason.as_str(), error.field.as_str())).collect();
    assert_eq!((answer.received, errors), (1, vec![(1, "DATE_ORDER", "occurred_on")]));
}

#[tokio::test]
async fn no_case_is_opened_for_a_signal_that_is_verified_later() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let signal = report(&household, v1::SignalKind::Sweep, Risk::Illness, "2025-05-10");
    let signal = hq.signals.report_signal(signal).await.unwrap().into_inner().signal.unwrap().signal_id;
    hq.decide(decision(&signal, true, "2025-05-20")).await.unwrap();
    let opened = |day| v1::CaseDraft { opened_on: date(day), signal_ids: vec![signal.clone()], ..case(&household) };
    order(&hq.open(opened("2025-05-19")).await.unwrap_err(), Code::FailedPrecondition, "case.opened_on");
    hq.open(opened("2025-05-20")).await.unwrap();
}

#[tokio::test]
async fn a_period_ends_after_it_begins() {
    let app = TestApp::start().await;
    let (since, until) = (date("2025-06-02"), date("2025-06-01"));
    let disclosures = ListDisclosuresRequest { since, until, ..ListDisclosuresRequest::default() };
    let refused = app.clients("auditor", PROVINCE).disclosures.list_disclosures(disclosures).await.unwrap_err();
    order(&refused, Code::InvalidArgument, "until");
    let funnel = GetFunnelRequest { region_code: TOWN.to_owned(), from: since, until };
    order(&app.hq().signals.get_funnel(funnel).await.unwrap_err(), Code::InvalidArgument, "until");
    let set = v1::RuleSetDraft { effective_until: date("2020-12-31"), ..made::rule_set(PROVINCE) };
    order(&made::store(&mut app.hq(), set).await.unwrap_err(), Code::InvalidArgument, "rule_set.effective_until");
}
