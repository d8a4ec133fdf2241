//! What comes after a removal, and what comes before papers: roll-backs, relapses, emergencies.

use tongxin_proto::monitoring::v1::{self, CaseEntryKind, Counted, Emergency, RemovalKind, Risk, Stage, Step};
use tonic::Code;

use crate::{
    lives::{case, measure, observed, refusal, removal, start, step, track},
    support::{COUNTY, TestApp, VILLAGE, date, day, told},
};

async fn counts(app: &TestApp) -> [i64; 4] {
    let mut counts = [0; 4];
    let all = [Counted::UnderMonitoring, Counted::Identified, Counted::Removed, Counted::Relapsed];
    for (count, counted) in counts.iter_mut().zip(all) {
        *count = app.count_of(counted, VILLAGE, "2025-06-30").await;
    }
    counts
}

#[tokio::test]
async fn a_removal_that_is_rolled_back_stays_in_the_history() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.removed(&household).await.case_id;
    assert_eq!(counts(&app).await, [0, 1, 1, 0]);
    let rolled_back = app.clients("county", COUNTY).roll_back(&id, "2025-06-20").await.unwrap();
    assert_eq!((rolled_back.stage(), rolled_back.removed_on), (Stage::Monitored, None));
    assert_eq!((rolled_back.identified_on, rolled_back.removal_kind()), (date("2024-06-15"), RemovalKind::Unspecified));
    assert_eq!(rolled_back.history.len(), 19);
    let last = rolled_back.history.last().unwrap();
    assert_eq!((last.kind(), last.reason.as_str()), (CaseEntryKind::RemovalRolledBack, "复核不实"));
    assert!(app.is_monitored(&household).await);
    assert_eq!(counts(&app).await, [1, 1, 0, 0]);
    assert_eq!(app.count_of(Counted::Removed, VILLAGE, "2025-06-19").await, 1);
    assert_eq!(app.events::<v1::RemovalRolledBack>().await.len(), 1);

    // And removed again.
    hq.propose(removal(&id, RemovalKind::Natural, "2025-06-21")).await.unwrap();
    let removed = hq.take(track(&id, "2025-06-21")).await;
    assert_eq!((removed.stage(), removed.removed_on), (Stage::Removed, date("2025-06-26")));
    assert_eq!(counts(&app).await, [0, 1, 1, 0]);
}

#[tokio::test]
async fn only_what_was_removed_is_rolled_back() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.monitored(&household).await.case_id;
    let error = hq.roll_back(&id, "2025-06-20").await.unwrap_err();
    assert_eq!((error.code(), told(&error).1.as_str()), (Code::FailedPrecondition, "STEP_OUT_OF_ORDER"));
    let denied = app.clients("town", crate::support::TOWN).roll_back(&id, "2025-06-20").await.unwrap_err();
    assert_eq!(told(&denied).1, "PERMISSION_MISSING");
}

#[tokio::test]
async fn a_household_that_was_removed_relapses_when_its_new_case_is_approved() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let first = hq.removed(&household).await.case_id;
    // Poor again.
    observed(&app, &household, "2025-05-31", 1_000_000).await;
    let early = v1::CaseDraft { opened_on: date("2025-06-14"), ..case(&household) };
    let error = hq.open(early).await.unwrap_err();
    assert_eq!((error.code(), told(&error).1.as_str()), (Code::FailedPrecondition, "DATE_ORDER"));
    let second = hq.open(v1::CaseDraft { opened_on: date("2025-06-16"), ..case(&household) }).await.unwrap();
    assert_eq!(second.relapse_of, first);
    assert_eq!(counts(&app).await, [0, 1, 1, 0]);
    let error = hq.roll_back(&first, "2025-06-20").await.unwrap_err();
    assert_eq!((error.code(), told(&error).1.as_str()), (Code::AlreadyExists, "HOUSEHOLD_HAS_CASE"));
    hq.take(track(&second.case_id, "2025-06-16")).await;
    assert_eq!(counts(&app).await, [1, 2, 1, 1]);
    assert!(app.is_monitored(&household).await);
    assert_eq!(hq.case(&first).await.unwrap().stage(), Stage::Removed, "the earlier case stays as it was");
}

#[tokio::test]
async fn a_refused_case_is_closed_and_the_next_one_is_no_relapse() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let first = hq.open(case(&household)).await.unwrap().case_id;
    let refused = hq.step(refusal(step(&first, Step::Authorisation, day("2024-06-11")))).await.unwrap();
    assert_eq!((refused.stage(), refused.history[1].reason.as_str()), (Stage::Refused, "不符合"));
    let second = hq.open(v1::CaseDraft { opened_on: date("2024-06-12"), ..case(&household) }).await.unwrap();
    assert_eq!(second.relapse_of, "");
    assert_eq!(counts(&app).await, [0, 0, 0, 0]);
}

#[tokio::test]
async fn a_refused_removal_leaves_the_household_under_monitoring() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.monitored(&household).await.case_id;
    hq.propose(removal(&id, RemovalKind::Natural, "2025-06-10")).await.unwrap();
    let case = hq.step(refusal(step(&id, Step::Authorisation, day("2025-06-11")))).await.unwrap();
    assert_eq!((case.stage(), case.next_step(), case.history.len()), (Stage::Monitored, Step::Unspecified, 11));
    assert!(app.is_monitored(&household).await);
    assert_eq!(counts(&app).await, [1, 1, 0, 0]);
    assert_eq!(app.count_of(Counted::OverdueSteps, VILLAGE, "2030-01-01").await, 0);
}

#[tokio::test]
async fn in_an_emergency_help_comes_first() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    // Well off by the newest observation, whose window ended before the disaster.
    let draft = v1::CaseDraft {
        emergency: Emergency::Disaster.into(),
        opened_on: date("2025-06-10"),
        category: "hardship".to_owned(),
        ..case(&household)
    };
    let opened = hq.open(draft).await.unwrap();
    assert_eq!((opened.emergency(), opened.next_due_on), (Emergency::Disaster, date("2025-06-15")));
    let id = opened.case_id;
    let planned = hq.plan(&id, measure(Risk::Housing, "2025-06-10")).await.unwrap();
    hq.finish(&planned.measure_id, "2025-06-11", false).await.unwrap();
    let monitored = hq.take(track(&id, "2025-06-12")).await;
    assert_eq!((monitored.stage(), monitored.measures.len()), (Stage::Monitored, 1));
    assert_eq!(monitored.history[2].due_on, date("2025-06-17"), "five days for a step, instead of two");
}

#[tokio::test]
async fn in_an_emergency_nothing_need_have_been_observed() {
    let (app, _) = start().await;
    let household = app.registered(VILLAGE, 9).await.household_id;
    let draft = case(&household);
    let error = app.hq().open(draft.clone()).await.unwrap_err();
    assert_eq!((error.code(), told(&error).1.as_str()), (Code::FailedPrecondition, "OBSERVATION_MISSING"));
    app.hq().open(v1::CaseDraft { emergency: Emergency::Accident.into(), ..draft }).await.unwrap();
}
