//! Measures: one household, one policy.

use tongxin_proto::monitoring::v1::{self, MeasureState, RemovalKind, Risk};
use tonic::Code;
use uuid::Uuid;

use crate::{
    lives::{case, measure, removal, start},
    support::{date, new_request_id, told},
};

#[tokio::test]
async fn a_measure_is_planned_and_ends_once() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.monitored(&household).await.case_id;
    let planned = hq.plan(&id, measure(Risk::Illness, "2024-07-01")).await.unwrap();
    assert_eq!((planned.stated.clone(), &planned.case_id), (Some(measure(Risk::Illness, "2024-07-01")), &id));
    let finished = hq.finish(&planned.measure_id, "2024-08-01", true).await.unwrap();
    assert_eq!((finished.state(), finished.finished_on), (MeasureState::Cancelled, date("2024-08-01")));
    assert_eq!((finished.outcome.as_str(), finished.spent_fen), ("已落实", 40_000));
    let before = app.all_of_cases().await;
    let again = hq.finish(&planned.measure_id, "2024-08-02", false).await.unwrap_err();
    assert_eq!((again.code(), told(&again).1.as_str()), (Code::FailedPrecondition, "MEASURE_FINISHED"));
    assert_eq!(app.all_of_cases().await, before);
    assert_eq!(hq.case(&id).await.unwrap().measures, [finished]);
}

#[tokio::test]
async fn measures_that_cannot_be_are_refused() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let identifying = hq.open(case(&household)).await.unwrap().case_id;
    let refused = hq.plan(&identifying, measure(Risk::Illness, "2024-06-10")).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::FailedPrecondition, "CASE_NOT_MONITORED"));
    let id = hq.take(crate::lives::track(&identifying, "2024-06-10")).await.case_id;

    let before = app.all_of_cases().await;
    let early_due = v1::MeasureDraft { due_on: date("2024-06-30"), ..measure(Risk::Illness, "2024-07-01") };
    for (draft, reason, field) in [
        (measure(Risk::Water, "2024-07-01"), "RISK_NOT_OF_CASE", "measure.measure.risk"),
        (measure(Risk::Illness, "2025-07-01"), "DATE_IN_FUTURE", "measure.measure.planned_on"),
        (measure(Risk::Illness, "2024-06-14"), "DATE_ORDER", "measure.measure.planned_on"),
        (early_due, "DATE_ORDER", "measure.measure.due_on"),
    ] {
        let error = hq.plan(&id, draft).await.unwrap_err();
        assert_eq!(told(&error), (Code::InvalidArgument, reason.to_owned(), vec![field.to_owned()]));
    }
    let missing = Uuid::new_v4().to_string();
    assert_eq!(told(&hq.plan(&missing, measure(Risk::Illness, "2024-07-01")).await.unwrap_err()).1, "CASE_NOT_FOUND");
    assert_eq!(told(&hq.finish(&missing, "2024-07-01", false).await.unwrap_err()).1, "MEASURE_NOT_FOUND");
    assert_eq!(app.all_of_cases().await, before);

    let planned = hq.plan(&id, measure(Risk::Illness, "2024-07-01")).await.unwrap().measure_id;
    for (on, reason) in [("2024-06-30", "DATE_ORDER"), ("2025-07-01", "DATE_IN_FUTURE")] {
        let error = hq.finish(&planned, on, false).await.unwrap_err();
        assert_eq!(told(&error), (Code::InvalidArgument, reason.to_owned(), vec!["result.finished_on".to_owned()]));
    }
    let plan =
        v1::MeasurePlan { measure_id: planned, case_id: id, measure: Some(measure(Risk::Housing, "2024-07-01")) };
    let request = v1::PlanMeasureRequest { request_id: new_request_id(), measure: Some(plan) };
    let twice = hq.cases.plan_measure(request).await.unwrap_err();
    assert_eq!((twice.code(), told(&twice).1.as_str()), (Code::AlreadyExists, "MEASURE_EXISTS"));
}

#[tokio::test]
async fn a_closed_case_has_no_more_measures() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.monitored(&household).await.case_id;
    let planned = hq.plan(&id, measure(Risk::Illness, "2024-07-01")).await.unwrap().measure_id;
    hq.propose(removal(&id, RemovalKind::Natural, "2025-06-10")).await.unwrap();
    // On the way out, help goes on.
    hq.plan(&id, measure(Risk::Housing, "2025-06-10")).await.unwrap();
    hq.take(crate::lives::track(&id, "2025-06-10")).await;
    for error in [
        hq.plan(&id, measure(Risk::Housing, "2025-06-20")).await.unwrap_err(),
        hq.finish(&planned, "2025-06-20", false).await.unwrap_err(),
    ] {
        assert_eq!((error.code(), told(&error).1.as_str()), (Code::FailedPrecondition, "CASE_CLOSED"));
    }
}
