//! Cases, from the first report to the last approval.

use futures::future::join_all;
use tongxin_proto::monitoring::v1::{self, CaseEntryKind, Counted, MeasureState, RemovalKind, Risk, Stage, Step};
use tonic::Code;
use uuid::Uuid;

use crate::{
    lives::{at_risk, case, measure, observed, removal, start, step, track},
    made,
    support::{COUNTY, OTHER_COUNTY, OTHER_VILLAGE, TOWN, VILLAGE, VILLAGE_ELSEWHERE, date, day, new_request_id, told},
};

#[tokio::test]
async fn a_household_is_led_into_monitoring_and_out_of_it() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let opened = hq.open(case(&household)).await.unwrap();
    assert_eq!((opened.stage(), opened.next_step(), opened.version), (Stage::Identifying, Step::Authorisation, 1));
    assert_eq!(opened.next_due_on, date("2024-06-12"));
    let id = opened.case_id;

    let monitored = hq.take(track(&id, "2024-06-10")).await;
    assert_eq!((monitored.stage(), monitored.next_step()), (Stage::Monitored, Step::Unspecified));
    assert_eq!((monitored.identified_on, monitored.next_due_on, monitored.version), (date("2024-06-15"), None, 9));
    assert!(app.is_monitored(&household).await);

    let mut measures = Vec::new();
    for risk in [Risk::Illness, Risk::Housing] {
        let planned = hq.plan(&id, measure(risk, "2024-07-01")).await.unwrap();
        assert_eq!(planned.state(), MeasureState::Planned);
        measures.push(hq.finish(&planned.measure_id, "2025-03-01", false).await.unwrap());
    }
    // Those of one day are listed by their identifiers, which callers choose.
    measures.sort_by(|one, other| one.measure_id.cmp(&other.measure_id));
    let proposed = hq.propose(removal(&id, RemovalKind::Assisted, "2025-06-10")).await.unwrap();
    assert_eq!((proposed.stage(), proposed.removal_kind()), (Stage::Removing, RemovalKind::Assisted));
    let removed = hq.take(track(&id, "2025-06-11")).await;
    assert_eq!((removed.stage(), removed.removed_on, removed.version), (Stage::Removed, date("2025-06-16"), 18));
    assert!(!app.is_monitored(&household).await);

    let read = hq.case(&id).await.unwrap();
    assert_eq!(read, v1::Case { measures: measures.clone(), ..removed.clone() });
    assert_eq!(removed.measures, measures);
    let kinds: Vec<_> = read.history.iter().map(v1::CaseEntry::kind).collect();
    let passed = [CaseEntryKind::StepPassed; 8];
    assert_eq!(kinds, [&[CaseEntryKind::Opened][..], &passed, &[CaseEntryKind::RemovalProposed], &passed].concat());
    let performers: Vec<_> = read.history[..9].iter().map(|entry| entry.performed_by.as_str()).collect();
    let by = ["opener", "clerk", "verifier", "clerk", "clerk", "clerk", "clerk", "reviewer", "approver"];
    assert_eq!(performers, by);
    assert_eq!((read.history[1].due_on, read.history[6].due_on), (date("2024-06-12"), date("2024-06-12")));

    for (counted, on, count) in [
        (Counted::UnderMonitoring, "2024-06-14", 0),
        (Counted::UnderMonitoring, "2024-06-15", 1),
        (Counted::UnderMonitoring, "2025-06-15", 1),
        (Counted::UnderMonitoring, "2025-06-16", 0),
        (Counted::Identified, "2024-06-15", 1),
        (Counted::Removed, "2025-06-15", 0),
        (Counted::Removed, "2025-06-16", 1),
        (Counted::Relapsed, "2025-06-30", 0),
    ] {
        assert_eq!(app.count_of(counted, VILLAGE, on).await, count, "{counted:?} on {on}");
    }
    let identified = app.events::<v1::CountChanged>().await;
    let identified = identified.iter().find(|change| change.counted() == Counted::Identified).unwrap();
    assert_eq!((identified.category.as_str(), &identified.risks), ("unstable", &read.risks));
    assert_eq!(identified.subject, household);
    assert_eq!(app.events::<v1::CaseOpened>().await.len(), 1);
    let steps = app.events::<v1::CaseStepRecorded>().await;
    assert_eq!((steps.len(), steps.iter().filter(|step| step.removal).count()), (16, 8));
    assert_eq!(app.events::<v1::RemovalProposed>().await[0].kind(), RemovalKind::Assisted);
    assert_eq!(app.events::<v1::MeasurePlanned>().await.len(), 2);
    let finished = app.events::<v1::MeasureFinished>().await;
    assert_eq!((finished.len(), finished[0].spent_fen), (2, 40_000));
}

#[tokio::test]
async fn village_town_and_county_each_take_their_steps() {
    let (app, _) = start().await;
    let household = at_risk(&app, 1).await;
    observed(&app, &household, "2025-05-31", 1_000_000).await;
    let (mut village, mut town, mut county) =
        (app.clients("village", VILLAGE), app.clients("town", TOWN), app.clients("county", COUNTY));
    let mut draft = case(&household);
    (draft.opened_on, draft.performed_by) = (date("2025-06-01"), String::new());
    let id = village.open(draft).await.unwrap().case_id;
    let own = |of, on: &str| v1::StepRecord { performed_by: String::new(), ..step(&id, of, day(on)) };

    village.step(own(Step::Authorisation, "2025-06-01")).await.unwrap();
    let same = village.step(own(Step::HomeVerification, "2025-06-02")).await.unwrap_err();
    assert_eq!((same.code(), told(&same).1.as_str()), (Code::FailedPrecondition, "VERIFIER_IS_PROPOSER"));
    // The same person, named without the issuer, stays the caller.
    let named =
        v1::StepRecord { performed_by: format!("village@{VILLAGE}"), ..own(Step::HomeVerification, "2025-06-02") };
    assert_eq!(told(&village.step(named).await.unwrap_err()).1, "VERIFIER_IS_PROPOSER");
    let other = v1::StepRecord { performed_by: "verifier".to_owned(), ..own(Step::HomeVerification, "2025-06-02") };
    let other = village.step(other).await.unwrap_err();
    assert_eq!((other.code(), told(&other).1.as_str()), (Code::PermissionDenied, "PERFORMER_NOT_ALLOWED"));
    town.step(own(Step::HomeVerification, "2025-06-02")).await.unwrap();
    for (of, on) in [
        (Step::DataComparison, "2025-06-03"),
        (Step::DemocraticReview, "2025-06-04"),
        (Step::NoticePosted, "2025-06-05"),
        (Step::NoticeEnded, "2025-06-10"),
    ] {
        village.step(own(of, on)).await.unwrap();
    }
    let before = app.all_of_cases().await;
    let reviewed = village.step(own(Step::TownReview, "2025-06-11")).await.unwrap_err();
    assert_eq!((reviewed.code(), told(&reviewed).1.as_str()), (Code::PermissionDenied, "STEP_NOT_ALLOWED"));
    assert!(reviewed.message().contains("monitoring.case.review"), "{}", reviewed.message());
    assert_eq!(app.all_of_cases().await, before);
    town.step(own(Step::TownReview, "2025-06-11")).await.unwrap();
    let approved = town.step(own(Step::CountyApproval, "2025-06-12")).await.unwrap_err();
    assert_eq!((approved.code(), told(&approved).1.as_str()), (Code::PermissionDenied, "STEP_NOT_ALLOWED"));
    assert!(approved.message().contains("monitoring.case.approve"), "{}", approved.message());
    let case = county.step(own(Step::CountyApproval, "2025-06-12")).await.unwrap();
    assert_eq!(case.stage(), Stage::Monitored);
    assert!(case.history[8].performed_by.ends_with(&format!("|county@{COUNTY}")), "{}", case.history[8].performed_by);
}

#[tokio::test]
async fn two_who_step_at_once_step_once() {
    let (app, household) = start().await;
    let id = app.hq().open(case(&household)).await.unwrap().case_id;
    let steps = (0..8).map(|_| {
        let (mut hq, step) = (app.hq(), step(&id, Step::Authorisation, day("2024-06-10")));
        async move { hq.step(step).await }
    });
    let outcomes = join_all(steps).await;
    let refused: Vec<_> =
        outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).map(|error| told(error).1).collect();
    assert_eq!(refused, ["STEP_OUT_OF_ORDER"; 7]);
    assert_eq!((app.count("case_entry").await, app.events::<v1::CaseStepRecorded>().await.len()), (2, 1));
}

#[tokio::test]
async fn two_who_open_at_once_open_one_case() {
    let (app, household) = start().await;
    let openings = (0..8).map(|_| {
        let (mut hq, case) = (app.hq(), case(&household));
        async move { hq.open(case).await }
    });
    let outcomes = join_all(openings).await;
    let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(refused.len(), 7);
    for error in refused {
        assert_eq!((error.code(), told(error).1.as_str()), (Code::AlreadyExists, "HOUSEHOLD_HAS_CASE"));
    }
    assert_eq!((app.count("cases").await, app.events::<v1::CaseOpened>().await.len()), (1, 1));
}

#[tokio::test]
async fn a_request_that_is_sent_again_changes_nothing() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.open(case(&household)).await.unwrap().case_id;
    let step = step(&id, Step::Authorisation, day("2024-06-10"));
    let request = v1::RecordStepRequest { request_id: new_request_id(), step: Some(step) };
    let first = hq.cases.record_step(request.clone()).await.unwrap().into_inner();
    let before = app.all_of_cases().await;
    assert_eq!(hq.cases.record_step(request).await.unwrap().into_inner(), first);
    assert_eq!(app.all_of_cases().await, before);
}

#[tokio::test]
async fn what_lies_elsewhere_is_not_found() {
    let (app, household) = start().await;
    let id = app.hq().monitored(&household).await.case_id;
    let planned = app.hq().plan(&id, measure(Risk::Illness, "2024-07-01")).await.unwrap().measure_id;
    let before = app.all_of_cases().await;
    let mut elsewhere = app.clients("county", OTHER_COUNTY);
    let own = |of| v1::StepRecord { performed_by: String::new(), ..step(&id, of, day("2025-06-01")) };
    let removal =
        v1::RemovalProposal { performed_by: String::new(), ..removal(&id, RemovalKind::Natural, "2025-06-01") };
    let opening = v1::CaseDraft { opened_on: date("2025-06-01"), performed_by: String::new(), ..case(&household) };
    let refused = [
        (elsewhere.case(&id).await.unwrap_err(), "CASE_NOT_FOUND", "case_id"),
        (elsewhere.step(own(Step::Authorisation)).await.unwrap_err(), "CASE_NOT_FOUND", "step.case_id"),
        (elsewhere.propose(removal).await.unwrap_err(), "CASE_NOT_FOUND", "removal.case_id"),
        (elsewhere.roll_back(&id, "2025-06-01").await.unwrap_err(), "CASE_NOT_FOUND", "case_id"),
        (
            elsewhere.plan(&id, measure(Risk::Illness, "2025-06-01")).await.unwrap_err(),
            "CASE_NOT_FOUND",
            "measure.case_id",
        ),
        (elsewhere.finish(&planned, "2025-06-01", false).await.unwrap_err(), "MEASURE_NOT_FOUND", "result.measure_id"),
        (elsewhere.notice(&id).await.unwrap_err(), "CASE_NOT_FOUND", "case_id"),
        (elsewhere.open(opening).await.unwrap_err(), "HOUSEHOLD_NOT_FOUND", "case.household_id"),
    ];
    for (error, reason, field) in refused {
        assert_eq!(told(&error), (Code::NotFound, reason.to_owned(), vec![field.to_owned()]));
    }
    let listed = elsewhere.cases.list_cases(v1::ListCasesRequest::default()).await.unwrap().into_inner();
    assert!(listed.cases.is_empty() && elsewhere.overdue("", 0, "").await.steps.is_empty());
    assert_eq!(app.all_of_cases().await, before);

    // An identifier that is taken where the caller does not see it cannot be had twice.
    let theirs = made::household(&app, VILLAGE_ELSEWHERE).await;
    observed(&app, &theirs, "2025-05-31", 1_000_000).await;
    let taken = v1::CaseDraft {
        case_id: id,
        household_id: theirs,
        opened_on: date("2025-06-01"),
        performed_by: String::new(),
        ..case(&household)
    };
    let error = elsewhere.open(taken).await.unwrap_err();
    assert_eq!((error.code(), told(&error).1.as_str()), (Code::AlreadyExists, "CASE_EXISTS"));
}

#[tokio::test]
async fn cases_are_listed_oldest_first_a_page_at_a_time() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let mut ids = vec![hq.monitored(&household).await.case_id];
    for (order, opened_on) in (1..).zip(["2024-08-01", "2024-07-01", "2024-07-01"]) {
        let household = at_risk(&app, order).await;
        let draft = v1::CaseDraft { opened_on: date(opened_on), ..case(&household) };
        ids.push(hq.open(draft).await.unwrap().case_id);
    }
    let mut same_day = [ids[2].clone(), ids[3].clone()];
    same_day.sort_by_key(|id| Uuid::parse_str(id).unwrap());
    let expected = [ids[0].clone(), same_day[0].clone(), same_day[1].clone(), ids[1].clone()];
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListCasesRequest { page_size: 1, page_token: token, ..Default::default() };
        let page = hq.cases.list_cases(request).await.unwrap().into_inner();
        assert!(page.cases.len() == 1 && page.cases[0].history.is_empty());
        seen.extend(page.cases.into_iter().map(|case| case.case_id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, expected);
    let list = |request| {
        let mut hq = app.hq();
        async move { hq.cases.list_cases(request).await.unwrap().into_inner().cases }
    };
    let monitored = list(v1::ListCasesRequest { stage: Stage::Monitored.into(), ..Default::default() }).await;
    assert_eq!((monitored.len(), &monitored[0].case_id, monitored[0].version), (1, &ids[0], 9));
    assert_eq!(list(v1::ListCasesRequest { household_id: household, ..Default::default() }).await.len(), 1);
    assert_eq!(
        list(v1::ListCasesRequest { region_code: OTHER_VILLAGE.to_owned(), ..Default::default() }).await.len(),
        0
    );
    assert_eq!(list(v1::ListCasesRequest { region_code: VILLAGE.to_owned(), ..Default::default() }).await.len(), 4);
}

#[tokio::test]
async fn steps_that_are_late_are_listed_and_counted_until_they_are_done() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    // Due on the 12th; done on the 20th, so late from the 13th to the 19th.
    let late = hq.open(case(&household)).await.unwrap().case_id;
    let done = hq.step(step(&late, Step::Authorisation, day("2024-06-20"))).await.unwrap();
    assert_eq!(done.next_due_on, date("2024-06-22"));
    for (on, count) in [("2024-06-12", 0), ("2024-06-13", 1), ("2024-06-19", 1), ("2024-06-20", 0), ("2024-06-22", 0)] {
        assert_eq!(app.count_of(Counted::OverdueSteps, VILLAGE, on).await, count, "{on}");
    }
    assert_eq!(app.count_of(Counted::OverdueSteps, VILLAGE, "2024-06-23").await, 1);
    let mut others = Vec::new();
    for (order, opened_on) in [(1, "2025-06-29"), (2, "2025-06-01"), (3, "2025-06-01")] {
        let household = at_risk(&app, order).await;
        observed(&app, &household, "2025-05-31", 1_000_000).await;
        let draft = v1::CaseDraft { opened_on: date(opened_on), ..case(&household) };
        others.push(hq.open(draft).await.unwrap().case_id);
    }
    let mut same_day = [others[1].clone(), others[2].clone()];
    same_day.sort_by_key(|id| Uuid::parse_str(id).unwrap());

    let first = hq.overdue(TOWN, 2, "").await;
    let second = hq.overdue(TOWN, 2, &first.next_page_token).await;
    let ids: Vec<_> = first.steps.iter().chain(&second.steps).map(|step| step.case_id.clone()).collect();
    assert_eq!(ids, [late.clone(), same_day[0].clone(), same_day[1].clone()], "what is due tomorrow is not among them");
    assert_eq!(second.next_page_token, "");
    let longest = &first.steps[0];
    assert_eq!(
        (longest.step(), longest.due_on, longest.days_overdue),
        (Step::HomeVerification, date("2024-06-22"), 373)
    );
    assert_eq!(app.count_of(Counted::OverdueSteps, VILLAGE, "2025-06-30").await, 3);

    // A refused case waits for nothing.
    let refusal = crate::lives::refusal(step(&late, Step::HomeVerification, day("2025-06-30")));
    assert_eq!(hq.step(refusal).await.unwrap().stage(), Stage::Refused);
    assert_eq!(hq.overdue("", 0, "").await.steps.len(), 2);
    assert_eq!(app.count_of(Counted::OverdueSteps, VILLAGE, "2025-06-30").await, 2);
    assert!(hq.overdue(OTHER_COUNTY, 0, "").await.steps.is_empty());
}

#[tokio::test]
async fn a_step_that_is_done_by_its_day_was_never_late() {
    let (app, household) = start().await;
    app.hq().monitored(&household).await;
    // Four weeks of days: only the end of the notice, due two days after it was put up, came late.
    for on in day("2024-06-01").iter_days().take(28) {
        let late = i64::from((day("2024-06-13")..day("2024-06-15")).contains(&on));
        assert_eq!(app.count_of(Counted::OverdueSteps, VILLAGE, &on.to_string()).await, late, "{on}");
    }
}

#[tokio::test]
async fn a_case_moves_with_its_household() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.monitored(&household).await.case_id;
    hq.plan(&id, measure(Risk::Illness, "2024-07-01")).await.unwrap();
    let request = v1::MoveHouseholdRequest {
        request_id: new_request_id(),
        household_id: household.clone(),
        region_code: OTHER_VILLAGE.to_owned(),
        moved_on: date("2025-06-30"),
        expected_version: 0,
        new_household_number: String::new(),
    };
    hq.households.move_household(request).await.unwrap();
    let (mut before, mut now) = (app.clients("village", VILLAGE), app.clients("village", OTHER_VILLAGE));
    assert_eq!(told(&before.case(&id).await.unwrap_err()).1, "CASE_NOT_FOUND");
    let case = now.case(&id).await.unwrap();
    assert_eq!((case.region_code.as_str(), case.history.len(), case.measures.len()), (OTHER_VILLAGE, 9, 1));
    for counted in [Counted::UnderMonitoring, Counted::Identified] {
        for (on, here, there) in [("2025-06-29", 1, 0), ("2025-06-30", 0, 1)] {
            let counts = (app.count_of(counted, VILLAGE, on).await, app.count_of(counted, OTHER_VILLAGE, on).await);
            assert_eq!(counts, (here, there), "{counted:?} on {on}");
        }
    }
    assert_eq!(app.count_of(Counted::OverdueSteps, OTHER_VILLAGE, "2030-01-01").await, 0);
}
