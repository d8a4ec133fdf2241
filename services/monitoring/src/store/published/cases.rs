//! Events of cases and measures.

use tongxin_platform::{log::NewEvent, region::RegionCode};
use tongxin_proto::monitoring::v1;

use super::counts::{as_event, count_changed};
use crate::domain::{
    case::{Case, CaseEvent, CountChange, Counted},
    measure::{Measure, MeasureEvent, MeasureState},
};

const CASE: &str = "case";
const MEASURE: &str = "measure";

/// The event of a case, which is in its state afterwards.
pub fn case(case: &Case, event: &CaseEvent) -> NewEvent {
    let Case { id, region, .. } = case;
    match event {
        CaseEvent::Opened => opened(case),
        CaseEvent::StepRecorded { step, removal, refused, on } => {
            let payload = v1::CaseStepRecorded {
                case_id: id.to_string(),
                step: v1::Step::from(*step).into(),
                removal: *removal,
                refused: *refused,
                occurred_on: Some((*on).into()),
                stage: v1::Stage::from(case.stage.name()).into(),
            };
            NewEvent::new((CASE, id), *region, *on, &payload)
        }
        CaseEvent::RemovalProposed { kind, on } => {
            let kind = v1::RemovalKind::from(*kind).into();
            let payload = v1::RemovalProposed { case_id: id.to_string(), kind, proposed_on: Some((*on).into()) };
            NewEvent::new((CASE, id), *region, *on, &payload)
        }
        CaseEvent::RemovalRolledBack { on } => {
            let payload = v1::RemovalRolledBack { case_id: id.to_string(), occurred_on: Some((*on).into()) };
            NewEvent::new((CASE, id), *region, *on, &payload)
        }
        CaseEvent::Counted(count) => counted(case, *region, *count),
    }
}

fn opened(case: &Case) -> NewEvent {
    let opened_on = case.history.entries()[0].occurred_on;
    let payload = v1::CaseOpened {
        case_id: case.id.to_string(),
        household_id: case.household.to_string(),
        region_code: case.region.to_string(),
        category: case.category.clone(),
        risks: case.risks.iter().map(|risk| v1::Risk::from(*risk).into()).collect(),
        opened_on: Some(opened_on.into()),
    };
    NewEvent::new((CASE, case.id), case.region, opened_on, &payload)
}

/// A change of a case's contribution to the counts of a village.
pub fn counted(case: &Case, region: RegionCode, CountChange { counted, on, change }: CountChange) -> NewEvent {
    let stated =
        |counted| count_changed(counted, case.household.to_string(), region, on, change, &case.category, &case.risks);
    let stated = match counted {
        Counted::UnderMonitoring => stated(v1::Counted::UnderMonitoring),
        Counted::Identified => stated(v1::Counted::Identified),
        Counted::Removed => stated(v1::Counted::Removed),
        Counted::Relapsed => stated(v1::Counted::Relapsed),
        Counted::OverdueSteps => {
            count_changed(v1::Counted::OverdueSteps, case.id.to_string(), region, on, change, "", &[])
        }
    };
    as_event(region, on, &stated)
}

/// The event of a measure.
pub fn measure(measure: &Measure, region: RegionCode, event: MeasureEvent) -> NewEvent {
    let Measure { id, case, stated, state } = measure;
    match (event, measure.ending()) {
        (MeasureEvent::Finished, Some(ending)) => {
            let payload = v1::MeasureFinished {
                measure_id: id.to_string(),
                case_id: case.to_string(),
                cancelled: matches!(state, MeasureState::Cancelled(_)),
                finished_on: Some(ending.on.into()),
                spent_fen: ending.spent_fen,
            };
            NewEvent::new((MEASURE, id), region, ending.on, &payload)
        }
        (MeasureEvent::Planned, _) | (MeasureEvent::Finished, None) => {
            let payload = v1::MeasurePlanned {
                measure_id: id.to_string(),
                case_id: case.to_string(),
                risk: v1::Risk::from(stated.risk).into(),
                family: v1::MeasureFamily::from(stated.family).into(),
                due_on: Some(stated.due_on.into()),
            };
            NewEvent::new((MEASURE, id), region, stated.planned_on, &payload)
        }
    }
}
