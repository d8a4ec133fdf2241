//! Every guard of a case with an attempt to break it: refused with its own reason, and nothing is half written.

use tongxin_proto::monitoring::v1::{self, Emergency, RemovalKind, Risk, Step};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    drafts::id_number,
    lives::{case, measure, observed, refusal, removal, rules_from, start, step, track},
    made,
    support::{Clients, TestApp, VILLAGE, date, day, new_request_id, told},
};

/// Makes sure that nothing was kept of a refused request.
struct Watch {
    before: String,
}

impl Watch {
    async fn over(app: &TestApp) -> Self {
        Self { before: app.all_of_cases().await }
    }

    async fn refused<T: std::fmt::Debug>(&self, app: &TestApp, outcome: Result<T, Status>, code: Code, reason: &str) {
        let error = outcome.unwrap_err();
        assert_eq!((error.code(), told(&error).1.as_str()), (code, reason), "{error}");
        assert_eq!(app.all_of_cases().await, self.before, "{reason} left something behind");
    }
}

#[tokio::test]
async fn a_case_that_cannot_be_is_not_opened() {
    let (app, household) = start().await;
    let watch = Watch::over(&app).await;
    let good = case(&household);
    let other = vec![Risk::Other.into()];
    for (draft, code, reason) in [
        (
            v1::CaseDraft { household_id: Uuid::new_v4().to_string(), ..good.clone() },
            Code::NotFound,
            "HOUSEHOLD_NOT_FOUND",
        ),
        (v1::CaseDraft { category: "unheard_of".into(), ..good.clone() }, Code::InvalidArgument, "CATEGORY_UNKNOWN"),
        (v1::CaseDraft { category: "hardship".into(), ..good.clone() }, Code::FailedPrecondition, "CATEGORY_NOT_MET"),
        // By June 2025 the household is above the line.
        (v1::CaseDraft { opened_on: date("2025-06-10"), ..good.clone() }, Code::FailedPrecondition, "CATEGORY_NOT_MET"),
        (
            v1::CaseDraft { opened_on: date("2024-05-30"), ..good.clone() },
            Code::FailedPrecondition,
            "OBSERVATION_MISSING",
        ),
        (v1::CaseDraft { risks: vec![Risk::Water.into(); 2], ..good.clone() }, Code::InvalidArgument, "RISK_TWICE"),
        (v1::CaseDraft { risks: other, ..good.clone() }, Code::InvalidArgument, "REMARK_REQUIRED"),
        (v1::CaseDraft { opened_on: date("2025-07-01"), ..good.clone() }, Code::InvalidArgument, "DATE_IN_FUTURE"),
        (v1::CaseDraft { opened_on: date("2020-12-31"), ..good.clone() }, Code::FailedPrecondition, "RULE_SET_MISSING"),
        (
            v1::CaseDraft { signal_ids: vec![Uuid::new_v4().to_string()], ..good.clone() },
            Code::NotFound,
            "SIGNAL_NOT_FOUND",
        ),
    ] {
        watch.refused(&app, app.hq().open(draft).await, code, reason).await;
    }
    let old = v1::CaseDraft { performed_by: String::new(), ..good.clone() };
    let mut village = app.clients("village", VILLAGE);
    watch.refused(&app, village.open(old).await, Code::PermissionDenied, "HISTORY_NOT_ALLOWED").await;
    let by_another = v1::CaseDraft { opened_on: date("2025-06-10"), ..good.clone() };
    watch.refused(&app, village.open(by_another).await, Code::PermissionDenied, "PERFORMER_NOT_ALLOWED").await;

    app.hq().open(good.clone()).await.unwrap();
    let watch = Watch::over(&app).await;
    let another = v1::CaseDraft { case_id: Uuid::new_v4().to_string(), ..good.clone() };
    watch.refused(&app, app.hq().open(another).await, Code::AlreadyExists, "HOUSEHOLD_HAS_CASE").await;
    watch.refused(&app, app.hq().open(good).await, Code::AlreadyExists, "CASE_EXISTS").await;
}

#[tokio::test]
async fn a_merged_household_has_no_case() {
    let (app, household) = start().await;
    let merged = app.registered(VILLAGE, 5).await.household_id;
    let request = v1::MergeHouseholdsRequest {
        request_id: new_request_id(),
        kept_id: household.clone(),
        merged_id: merged.clone(),
        ..Default::default()
    };
    app.hq().households.merge_households(request).await.unwrap();
    let watch = Watch::over(&app).await;
    let draft = v1::CaseDraft { emergency: Emergency::Accident.into(), ..case(&merged) };
    watch.refused(&app, app.hq().open(draft).await, Code::FailedPrecondition, "HOUSEHOLD_MERGED").await;
}

#[tokio::test]
async fn a_case_takes_its_signals_along_once_they_are_verified() {
    let (app, household) = start().await;
    let signal = |household: String, state: &'static str| {
        let owner = app.owner.clone();
        async move {
            let id = Uuid::new_v4();
            let decided = if state == "open" { "NULL" } else { "'2024-06-02'" };
            let query = format!(
                "INSERT INTO signal (signal_id, household_id, region_code, cause, state, reported_on, reason, decided_on,
                                     version)
                 VALUES ($1, $2, 441823107201, 'illness', '{state}', '2024-06-01', '', {decided}, 1)"
            );
            let household = Uuid::parse_str(&household).unwrap();
            sqlx::query(sqlx::AssertSqlSafe(query)).bind(id).bind(household).execute(&owner).await.unwrap();
            id.to_string()
        }
    };
    sqlx::query("DELETE FROM signal_source").execute(&app.owner).await.unwrap();
    sqlx::query("DELETE FROM signal").execute(&app.owner).await.unwrap();
    let theirs = app.registered(VILLAGE, 5).await.household_id;
    let (open, refuted, verified, foreign) = (
        signal(household.clone(), "open").await,
        signal(household.clone(), "refuted").await,
        signal(household.clone(), "verified").await,
        signal(theirs, "verified").await,
    );
    let with = |ids: &[&String]| {
        let signal_ids = ids.iter().map(ToString::to_string).collect();
        v1::CaseDraft { signal_ids, ..case(&household) }
    };
    let watch = Watch::over(&app).await;
    for (draft, code, reason) in [
        (with(&[&verified, &open]), Code::FailedPrecondition, "SIGNAL_NOT_VERIFIED"),
        (with(&[&refuted]), Code::FailedPrecondition, "SIGNAL_NOT_VERIFIED"),
        (with(&[&foreign]), Code::NotFound, "SIGNAL_NOT_FOUND"),
    ] {
        watch.refused(&app, app.hq().open(draft).await, code, reason).await;
    }
    let opened = app.hq().open(with(&[&verified])).await.unwrap();
    assert_eq!(opened.signal_ids, [verified.as_str()]);
    let of: Option<Uuid> = sqlx::query_scalar("SELECT case_id FROM signal WHERE signal_id = $1")
        .bind(Uuid::parse_str(&verified).unwrap())
        .fetch_one(&app.owner)
        .await
        .unwrap();
    assert_eq!(of.map(|id| id.to_string()), Some(opened.case_id.clone()));
    // A signal leads to one case.
    app.hq().step(refusal(step(&opened.case_id, Step::Authorisation, day("2024-06-11")))).await.unwrap();
    let watch = Watch::over(&app).await;
    let on = |ids: &[&String]| v1::CaseDraft { opened_on: date("2024-06-12"), ..with(ids) };
    watch.refused(&app, app.hq().open(on(&[&verified])).await, Code::FailedPrecondition, "SIGNAL_NOT_VERIFIED").await;
    // Who names none opens it for all that wait for one, but not for what was found out later.
    let (waiting, late) = (signal(household.clone(), "verified").await, signal(household.clone(), "verified").await);
    sqlx::query("UPDATE signal SET decided_on = '2024-06-13' WHERE signal_id = $1")
        .bind(Uuid::parse_str(&late).unwrap())
        .execute(&app.owner)
        .await
        .unwrap();
    let opened = app.hq().open(on(&[])).await.unwrap();
    assert_eq!(opened.signal_ids, [waiting.as_str()]);
    assert_eq!(app.hq().signal(&waiting).await.unwrap().case_id, opened.case_id);
    assert_eq!(app.hq().signal(&late).await.unwrap().case_id, "");
}

#[tokio::test]
async fn a_step_that_may_not_be_is_refused() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.open(case(&household)).await.unwrap().case_id;
    hq.step(step(&id, Step::Authorisation, day("2024-06-11"))).await.unwrap();
    let watch = Watch::over(&app).await;
    let next = step(&id, Step::HomeVerification, day("2024-06-11"));
    for (record, code, reason) in [
        (
            step(&Uuid::new_v4().to_string(), Step::HomeVerification, day("2024-06-11")),
            Code::NotFound,
            "CASE_NOT_FOUND",
        ),
        (v1::StepRecord { expected_version: 1, ..next.clone() }, Code::Aborted, "VERSION_STALE"),
        (step(&id, Step::Authorisation, day("2024-06-11")), Code::FailedPrecondition, "STEP_OUT_OF_ORDER"),
        (step(&id, Step::DataComparison, day("2024-06-11")), Code::FailedPrecondition, "STEP_OUT_OF_ORDER"),
        (step(&id, Step::HomeVerification, day("2024-06-10")), Code::FailedPrecondition, "DATE_ORDER"),
        (step(&id, Step::HomeVerification, day("2025-07-01")), Code::InvalidArgument, "DATE_IN_FUTURE"),
        (
            v1::StepRecord { performed_by: "opener".into(), ..next.clone() },
            Code::FailedPrecondition,
            "VERIFIER_IS_PROPOSER",
        ),
        (v1::StepRecord { reason: "  ".into(), ..refusal(next.clone()) }, Code::InvalidArgument, "REASON_REQUIRED"),
        (
            v1::StepRecord { reason: format!("是{}", id_number("19800101", 1)), ..refusal(next.clone()) },
            Code::InvalidArgument,
            "INVALID_FIELDS",
        ),
    ] {
        watch.refused(&app, hq.step(record).await, code, reason).await;
    }
    let skipped = hq.step(step(&id, Step::NoticePosted, day("2024-06-11"))).await.unwrap_err();
    assert_eq!(skipped.message(), "the next step of the case is home_verification");
    hq.step(v1::StepRecord { expected_version: 2, ..next }).await.unwrap();
}

#[tokio::test]
async fn a_notice_of_four_days_is_too_short() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.open(case(&household)).await.unwrap().case_id;
    hq.take(track(&id, "2024-06-10").into_iter().take(5)).await;
    let watch = Watch::over(&app).await;
    let end = |on: &str| step(&id, Step::NoticeEnded, day(on));
    watch.refused(&app, hq.step(end("2024-06-14")).await, Code::FailedPrecondition, "NOTICE_TOO_SHORT").await;
    // Rules that come later bind notices that are put up later.
    let longer = v1::RuleSetDraft { notice_min_days: 20, ..rules_from("2024-06-12") };
    made::store(&mut hq, longer).await.unwrap();
    hq.step(end("2024-06-15")).await.unwrap();
    hq.take(track(&id, "2024-06-10").into_iter().skip(6)).await;
    hq.propose(removal(&id, RemovalKind::Natural, "2025-06-01")).await.unwrap();
    hq.take(track(&id, "2025-06-01").into_iter().take(5)).await;
    let watch = Watch::over(&app).await;
    let end = |on: &str| step(&id, Step::NoticeEnded, day(on));
    watch.refused(&app, hq.step(end("2025-06-20")).await, Code::FailedPrecondition, "NOTICE_TOO_SHORT").await;
    hq.step(end("2025-06-21")).await.unwrap();
}

#[tokio::test]
async fn who_reviewed_or_proposed_does_not_approve() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.open(case(&household)).await.unwrap().case_id;
    hq.take(track(&id, "2024-06-10").into_iter().take(7)).await;
    let watch = Watch::over(&app).await;
    for who in ["reviewer", "opener"] {
        let record =
            v1::StepRecord { performed_by: who.to_owned(), ..step(&id, Step::CountyApproval, day("2024-06-15")) };
        watch.refused(&app, hq.step(record).await, Code::FailedPrecondition, "VERIFIER_IS_PROPOSER").await;
    }
}

/// Proposes removal on a day, which is refused.
async fn not_removed(app: &TestApp, hq: &mut Clients, id: &str, kind: RemovalKind, on: &str, reason: &str) {
    let watch = Watch::over(app).await;
    watch.refused(app, hq.propose(removal(id, kind, on)).await, Code::FailedPrecondition, reason).await;
}

#[tokio::test]
async fn a_household_that_may_not_leave_stays() {
    use RemovalKind::{Assisted, Natural};

    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.monitored(&household).await.case_id;
    let missing = Uuid::new_v4().to_string();
    assert_eq!(told(&hq.propose(removal(&missing, Natural, "2025-06-10")).await.unwrap_err()).1, "CASE_NOT_FOUND");
    not_removed(&app, &mut hq, &id, Natural, "2024-06-14", "DATE_ORDER").await;
    not_removed(&app, &mut hq, &id, Natural, "2024-12-14", "REMOVAL_TOO_EARLY").await;
    // Half a year without an income that is known.
    not_removed(&app, &mut hq, &id, Natural, "2024-12-15", "INCOME_NOT_STABLE").await;
    not_removed(&app, &mut hq, &id, Assisted, "2025-06-10", "MEASURE_MISSING").await;

    // One measure of two is done, and the other is given up.
    for (risk, cancelled) in [(Risk::Illness, false), (Risk::Housing, true)] {
        let planned = hq.plan(&id, measure(risk, "2024-07-01")).await.unwrap().measure_id;
        hq.finish(&planned, "2025-01-01", cancelled).await.unwrap();
    }
    not_removed(&app, &mut hq, &id, Assisted, "2025-06-10", "MEASURE_MISSING").await;

    // An income within the half year that is not above the line.
    observed(&app, &household, "2024-12-31", 1_400_000).await;
    not_removed(&app, &mut hq, &id, Natural, "2025-06-10", "INCOME_NOT_STABLE").await;
    observed(&app, &household, "2024-12-31", 1_400_002).await;
    for change in [
        |draft: &mut v1::ObservationDraft| draft.schooling_guaranteed = false,
        |draft: &mut v1::ObservationDraft| draft.medical_guaranteed = false,
        |draft: &mut v1::ObservationDraft| draft.housing_grade = v1::HousingGrade::C.into(),
        |draft: &mut v1::ObservationDraft| draft.water_safe = false,
    ] {
        let mut draft = v1::ObservationDraft { wages_fen: 2_000_000, ..made::observation(&household) };
        change(&mut draft);
        made::record(&mut hq, draft).await.unwrap();
        not_removed(&app, &mut hq, &id, Natural, "2025-06-10", "GUARANTEES_NOT_MET").await;
    }
    observed(&app, &household, "2025-05-31", 2_000_000).await;
    hq.propose(removal(&id, Natural, "2025-06-10")).await.unwrap();
    not_removed(&app, &mut hq, &id, Natural, "2025-06-10", "STEP_OUT_OF_ORDER").await;
}

#[tokio::test]
async fn the_rules_condition_of_removal_holds_too() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.monitored(&household).await.case_id;
    let mut stricter = rules_from("2025-01-01");
    stricter.removal.as_mut().unwrap().condition = "workers > 5".to_owned();
    made::store(&mut hq, stricter).await.unwrap();
    not_removed(&app, &mut hq, &id, RemovalKind::Natural, "2025-06-10", "GUARANTEES_NOT_MET").await;
}

#[tokio::test]
async fn a_household_without_labour_stays_under_monitoring() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.monitored(&household).await.case_id;
    let members = hq.household(&household).await.unwrap().members;
    let retire = |member: &v1::Member, name: &str, number: String| v1::SetMemberRequest {
        request_id: new_request_id(),
        household_id: household.clone(),
        member_id: member.member_id.clone(),
        member: Some(v1::MemberDraft {
            labour: v1::LabourAbility::Lost.into(),
            work: v1::Work::None.into(),
            work_months: 0,
            ..crate::drafts::member(name, number, member.relation())
        }),
        expected_version: 0,
    };
    let numbers = [crate::drafts::id_number("19800101", 1), crate::drafts::id_number("19820202", 2)];
    for (member, number) in members.iter().zip(numbers.clone()) {
        hq.households.set_member(retire(member, "张三丰", number)).await.unwrap();
    }
    not_removed(&app, &mut hq, &id, RemovalKind::Natural, "2025-06-10", "NO_LABOUR").await;
    not_removed(&app, &mut hq, &id, RemovalKind::Assisted, "2025-06-10", "NO_LABOUR").await;
}

#[tokio::test]
async fn what_removal_asks_for_is_asked_again_when_it_is_approved() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.monitored(&household).await.case_id;
    hq.propose(removal(&id, RemovalKind::Natural, "2025-06-10")).await.unwrap();
    hq.take(track(&id, "2025-06-10").into_iter().take(7)).await;
    // In the meantime it turned out that the household earns less.
    observed(&app, &household, "2025-05-31", 1_000_000).await;
    let watch = Watch::over(&app).await;
    let approval = step(&id, Step::CountyApproval, day("2025-06-16"));
    watch.refused(&app, hq.step(approval.clone()).await, Code::FailedPrecondition, "INCOME_NOT_STABLE").await;
    // It may be refused, though: the household stays under monitoring.
    assert_eq!(hq.step(refusal(approval)).await.unwrap().stage(), v1::Stage::Monitored);
}

#[tokio::test]
async fn deadlines_are_those_of_the_rules_on_the_day_of_the_step_before() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let mut working = rules_from("2024-06-11");
    for deadline in &mut working.deadlines {
        (deadline.days, deadline.kind) = (3, v1::DayKind::Working.into());
    }
    made::store(&mut hq, working).await.unwrap();
    let holiday = v1::SetHolidaysRequest {
        request_id: new_request_id(),
        year: 2024,
        holidays: vec![v1::Holiday { day: date("2024-06-14"), worked: false, name: String::new() }],
        region_code: String::new(),
    };
    hq.rules.set_holidays(holiday).await.unwrap();
    // Another province's are no business of ours.
    let theirs = v1::SetHolidaysRequest {
        request_id: new_request_id(),
        year: 2024,
        holidays: vec![v1::Holiday { day: date("2024-06-13"), worked: false, name: String::new() }],
        region_code: "450000000000".to_owned(),
    };
    app.clients("hq", "450000000000").rules.set_holidays(theirs).await.unwrap();
    let opened = hq.open(case(&household)).await.unwrap();
    assert_eq!(opened.next_due_on, date("2024-06-12"), "by the rules of the 10th, two days");
    // Tuesday; then Wednesday, Thursday, a holiday, a weekend, Monday.
    let stepped = hq.step(step(&opened.case_id, Step::Authorisation, day("2024-06-11"))).await.unwrap();
    assert_eq!(stepped.next_due_on, date("2024-06-17"));
}

#[tokio::test]
async fn where_no_rules_are_in_force_a_case_goes_on_by_those_it_was_opened_by() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    let passing = v1::RuleSetDraft { effective_until: date("2024-06-12"), ..rules_from("2021-01-01") };
    made::store(&mut hq, passing).await.unwrap();
    let household = crate::lives::at_risk(&app, 0).await;
    let id = hq.open(case(&household)).await.unwrap().case_id;
    let case = hq.take(track(&id, "2024-06-12")).await;
    assert_eq!(case.history[8].due_on, date("2024-06-19"));
}

#[tokio::test]
async fn a_window_that_ended_long_ago_identifies_nobody() {
    let (app, _) = start().await;
    for (order, window, reason) in [(1, "2023-05-31", "OBSERVATION_MISSING"), (2, "2023-06-30", "")] {
        let household = app.registered(VILLAGE, order).await.household_id;
        observed(&app, &household, window, 1_000_000).await;
        observed(&app, &household, "2025-05-31", 1_000_000).await;
        let opened = app.hq().open(case(&household)).await;
        let refused = opened.err().map(|status| (status.code(), told(&status).1));
        let expected = (!reason.is_empty()).then(|| (Code::FailedPrecondition, reason.to_owned()));
        assert_eq!(refused, expected, "{window}");
    }
}
