//! The procedure: every transition, every guard, and random lives of cases against a simple model.

mod guards;
mod lives;
mod transitions;

use std::{collections::BTreeSet, sync::Arc};

use chrono::{Days, NaiveDate};
use tongxin_platform::{change::Change, region::RegionCode};
use uuid::Uuid;

use super::*;
use crate::domain::{
    CaseId, HouseholdId, MeasureId, RuleSetId,
    calendar::Calendar,
    measure::{Ending, Measure, MeasureDraft, MeasureFamily, helped_by},
    procedure::{DayKind, Step},
    risk::Risk,
};

/// Days that each step may take, and in an emergency.
const STEP_DAYS: u32 = 3;
const EMERGENCY_DAYS: u32 = 1;
const NOTICE_DAYS: u32 = 5;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn after(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days)).unwrap()
}

fn timetable() -> Timetable {
    let deadline = |_| Deadline { days: STEP_DAYS, kind: DayKind::Calendar, emergency_days: EMERGENCY_DAYS };
    Timetable::new(deadline, Arc::new(Calendar::default()))
}

fn draft(id: u128) -> CaseDraft {
    CaseDraft {
        id: CaseId(Uuid::from_u128(id)),
        household: HouseholdId(Uuid::from_u128(1)),
        category: "unstable".to_owned(),
        risks: vec![Risk::Illness, Risk::Housing],
        risk_remark: String::new(),
        emergency: None,
        opened_on: day("2025-01-01"),
        signals: Vec::new(),
    }
}

/// Opens a case of a household with earlier ones.
fn open(
    draft: CaseDraft,
    earlier: &[&Case],
    category_met: Option<bool>,
) -> Result<Change<Case, CaseEvent>, CaseRefused> {
    let timetable = timetable();
    let opening = Opening {
        region: RegionCode::parse("441823107201").unwrap(),
        rule_set: RuleSetId(Uuid::from_u128(2)),
        timetable: &timetable,
        category_met,
        earlier,
    };
    draft.open(opening, "opener".to_owned())
}

fn opened(emergency: Option<Emergency>) -> Case {
    open(CaseDraft { emergency, ..draft(10) }, &[], Some(true)).unwrap().state
}

/// Grounds on which a household may leave.
fn good_grounds(on: NaiveDate) -> Grounds {
    Grounds {
        min_months: 6,
        stable_months: 6,
        labourers: 2,
        observed: Some(Observed { guaranteed: true, condition_met: true }),
        incomes: vec![Income { window_ends_on: on, per_capita: 900_000, line: Some(800_000) }],
        helped: BTreeSet::from([Risk::Illness, Risk::Housing]),
    }
}

/// Who takes a step where nothing is wrong with it.
fn usual_performer(step: Step) -> &'static str {
    match step {
        Step::TownReview => "town",
        Step::CountyApproval => "county",
        Step::HomeVerification => "verifier",
        Step::Authorisation
        | Step::DataComparison
        | Step::DemocraticReview
        | Step::NoticePosted
        | Step::NoticeEnded => "clerk",
    }
}

fn record(step: Step, on: NaiveDate) -> StepRecord {
    let performed_by = usual_performer(step).to_owned();
    StepRecord { step, refused: false, reason: String::new(), occurred_on: on, performed_by }
}

fn take(case: &Case, record: StepRecord, grounds: Option<&Grounds>) -> Result<Change<Case, CaseEvent>, CaseRefused> {
    let timetable = timetable();
    case.clone().step(record, StepRules { timetable: &timetable, notice_min_days: NOTICE_DAYS, grounds })
}

fn last_day(case: &Case) -> NaiveDate {
    case.history.newest().unwrap().occurred_on
}

/// Passes the step that is next on the first day on which it may be.
fn pass_next(case: &Case) -> Case {
    let next = case.stage.next().unwrap().step;
    let wait = if next == Step::NoticeEnded { NOTICE_DAYS } else { 0 };
    let on = after(last_day(case), wait.into());
    take(case, record(next, on), Some(&good_grounds(on))).unwrap().state
}

/// Passes steps until one is next, or until none is.
fn pass_until(mut case: Case, step: Option<Step>) -> Case {
    while case.stage.next().map(|next| next.step) != step {
        case = pass_next(&case);
    }
    case
}

fn propose(
    case: &Case,
    kind: RemovalKind,
    on: NaiveDate,
    grounds: &Grounds,
) -> Result<Change<Case, CaseEvent>, CaseRefused> {
    let removal = Removal { kind, proposed_by: "proposer".to_owned() };
    case.clone().propose_removal(removal, on, &timetable(), Some(grounds))
}

fn monitored(emergency: Option<Emergency>) -> Case {
    pass_until(opened(emergency), None)
}

fn removing(emergency: Option<Emergency>, kind: RemovalKind) -> Case {
    let case = monitored(emergency);
    let on = after(last_day(&case), 200);
    propose(&case, kind, on, &good_grounds(on)).unwrap().state
}

fn refuse_next(case: &Case) -> Case {
    let next = case.stage.next().unwrap().step;
    let refusal = StepRecord { refused: true, reason: "no".to_owned(), ..record(next, last_day(case)) };
    take(case, refusal, None).unwrap().state
}

fn plan(risk: Risk, on: NaiveDate) -> MeasureDraft {
    MeasureDraft {
        risk,
        family: MeasureFamily::Health,
        owner: "owner".to_owned(),
        planned_on: on,
        due_on: after(on, 30),
        planned_fen: 0,
    }
}

fn measure_of(case: &Case) -> Option<Measure> {
    plan(Risk::Illness, last_day(case)).plan(MeasureId(Uuid::from_u128(5)), case).ok().map(|change| change.state)
}

fn ending(on: NaiveDate) -> Ending {
    Ending { on, outcome: "done".to_owned(), spent_fen: 0 }
}
