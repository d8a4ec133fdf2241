//! Every stage, with each step that can be next, and every command, through the door: what is not legal is refused with
//! the right reason, and nothing changes.

use tongxin_proto::monitoring::v1::{self, Emergency, RemovalKind, Risk, Stage};
use uuid::Uuid;

use crate::{
    lives::{STEPS, at_risk, case, measure, refusal, removal, start, step, track},
    support::{Clients, TestApp, date, day, told},
};

/// Where a case is brought to: the steps of identification, then a proposal and the steps of removal.
#[derive(Debug, Clone, Copy)]
struct Place {
    emergency: bool,
    steps: usize,
    removal: Option<usize>,
    refused: bool,
}

impl Place {
    fn all() -> Vec<Self> {
        let mut places = Vec::new();
        for emergency in [false, true] {
            let at = |steps, removal, refused| Self { emergency, steps, removal, refused };
            places.extend((0..=8).map(|steps| at(steps, None, false)));
            places.extend((0..=8).map(|steps| at(8, Some(steps), false)));
            places.extend([at(0, None, true), at(8, Some(3), true)]);
        }
        places
    }

    fn stage(self) -> Stage {
        match (self.steps, self.removal, self.refused) {
            (8, Some(_), true) | (8, None, _) => Stage::Monitored,
            (8, Some(8), false) => Stage::Removed,
            (8, Some(_), false) => Stage::Removing,
            (_, _, true) => Stage::Refused,
            (_, _, false) => Stage::Identifying,
        }
    }

    /// The step that is next.
    fn next(self) -> Option<usize> {
        match self.stage() {
            Stage::Identifying => Some(self.steps),
            Stage::Removing => self.removal,
            _ => None,
        }
    }

    /// Brings the case of a household there; returns it with a planned measure where there can be one.
    async fn reach(self, hq: &mut Clients, household: &str) -> (String, Option<String>) {
        let emergency = if self.emergency { Emergency::Disaster } else { Emergency::Unspecified };
        let opened = hq.open(v1::CaseDraft { emergency: emergency.into(), ..case(household) }).await.unwrap();
        let id = opened.case_id;
        let mut planned = None;
        if self.emergency {
            planned = Some(hq.plan(&id, measure(Risk::Illness, "2024-06-20")).await.unwrap().measure_id);
        }
        for step in track(&id, "2024-06-10").into_iter().take(self.steps) {
            hq.step(step).await.unwrap();
        }
        if self.steps == 8 && planned.is_none() {
            planned = Some(hq.plan(&id, measure(Risk::Illness, "2024-06-20")).await.unwrap().measure_id);
        }
        if let Some(steps) = self.removal {
            hq.propose(removal(&id, RemovalKind::Natural, "2025-06-10")).await.unwrap();
            for step in track(&id, "2025-06-10").into_iter().take(steps) {
                hq.step(step).await.unwrap();
            }
        }
        if self.refused {
            let (next, on) =
                (self.removal.unwrap_or(self.steps), if self.removal.is_some() { "2025-06-10" } else { "2024-06-10" });
            hq.step(refusal(step(&id, STEPS[next], day(on)))).await.unwrap();
        }
        (id, planned)
    }
}

/// Gives every command but the legal ones, and counts them.
async fn refuses_all_else(app: &TestApp, hq: &mut Clients, place: Place, household: &str) -> usize {
    let (id, planned) = place.reach(hq, household).await;
    let before = app.all_of_cases().await;
    let mut refused = Vec::new();
    let on = day("2025-06-30");
    for (number, of) in STEPS.into_iter().enumerate().filter(|(number, _)| Some(*number) != place.next()) {
        let record = step(&id, of, on);
        for record in [record.clone(), refusal(record)] {
            refused.push((format!("step {number}"), "STEP_OUT_OF_ORDER", hq.step(record).await.map(drop)));
        }
    }
    if place.stage() != Stage::Monitored {
        for kind in [RemovalKind::Assisted, RemovalKind::Natural] {
            let outcome = hq.propose(removal(&id, kind, "2025-06-30")).await;
            refused.push((format!("{kind:?}"), "STEP_OUT_OF_ORDER", outcome.map(drop)));
        }
    }
    if place.stage() != Stage::Removed {
        refused.push(("roll back".into(), "STEP_OUT_OF_ORDER", hq.roll_back(&id, "2025-06-30").await.map(drop)));
    }
    if !matches!(place.stage(), Stage::Removed | Stage::Refused) {
        let draft =
            v1::CaseDraft { opened_on: date("2025-06-30"), emergency: Emergency::Disaster.into(), ..case(household) };
        refused.push(("open".into(), "HOUSEHOLD_HAS_CASE", hq.open(draft).await.map(drop)));
    }
    let plan = hq.plan(&id, measure(Risk::Illness, "2025-06-30"));
    match (place.stage(), place.emergency) {
        (Stage::Removed | Stage::Refused, _) => refused.push(("plan".into(), "CASE_CLOSED", plan.await.map(drop))),
        (Stage::Identifying, false) => refused.push(("plan".into(), "CASE_NOT_MONITORED", plan.await.map(drop))),
        _ => drop(plan),
    }
    if let (Some(planned), Stage::Removed | Stage::Refused) = (planned, place.stage()) {
        refused.push(("finish".into(), "CASE_CLOSED", hq.finish(&planned, "2025-06-30", false).await.map(drop)));
    }
    let missing = Uuid::new_v4().to_string();
    refused.push(("finish none".into(), "MEASURE_NOT_FOUND", hq.finish(&missing, "2025-06-30", false).await.map(drop)));
    for (command, reason, outcome) in &refused {
        let error = outcome.as_ref().expect_err(command);
        assert_eq!(told(error).1, *reason, "{command} at {place:?}");
    }
    assert_eq!(app.all_of_cases().await, before, "at {place:?}");
    let case = hq.case(&id).await.unwrap();
    assert_eq!(
        (case.stage(), case.next_step()),
        (place.stage(), place.next().map(|next| STEPS[next]).unwrap_or_default())
    );
    refused.len()
}

#[tokio::test]
async fn what_is_not_legal_is_refused_and_nothing_changes() {
    let (app, _) = start().await;
    let mut hq = app.hq();
    let mut refused = 0;
    for (order, place) in (1..).zip(Place::all()) {
        let household = at_risk(&app, order).await;
        refused += refuses_all_else(&app, &mut hq, place, &household).await;
    }
    // Forty places, eighteen commands each or more.
    assert!(refused >= 40 * 18, "{refused}");
}
