//! Lives of cases as callers lead them.

use chrono::{Days, NaiveDate};
use tongxin_proto::monitoring::v1::{
    self, CaseDraft, Counted, MeasureDraft, MeasureFamily, RemovalKind, RemovalProposal, Risk, Step, StepRecord,
};
use tonic::Status;
use uuid::Uuid;

use crate::{
    made,
    support::{Clients, PROVINCE, TestApp, date, day, new_request_id},
};

pub const STEPS: [Step; 8] = [
    Step::Authorisation,
    Step::HomeVerification,
    Step::DataComparison,
    Step::DemocraticReview,
    Step::NoticePosted,
    Step::NoticeEnded,
    Step::TownReview,
    Step::CountyApproval,
];

/// Two categories: below the line, and another for a family that is large.
pub fn rule_set() -> v1::RuleSetDraft {
    let category = |code: &str, name: &str, condition: &str| v1::Category {
        code: code.to_owned(),
        name: name.to_owned(),
        condition: condition.to_owned(),
    };
    v1::RuleSetDraft {
        categories: vec![
            category("unstable", "脱贫不稳定户", "per_capita_net_income < line"),
            category("hardship", "突发严重困难户", "persons > 5"),
        ],
        ..made::rule_set(PROVINCE)
    }
}

/// Rules that take the place of those from a day on.
pub fn rules_from(effective_from: &str) -> v1::RuleSetDraft {
    let lines = (2021..=2025).map(|year| v1::MonitoringLine { year, line_fen: 700_000 }).collect();
    v1::RuleSetDraft { effective_from: date(effective_from), lines, ..rule_set() }
}

/// A service with a rule set, and a household that was poor in the year to May 2024 and is not in the one to May 2025.
pub async fn start() -> (TestApp, String) {
    let app = TestApp::start().await;
    made::store(&mut app.hq(), rule_set()).await.unwrap();
    let household = at_risk(&app, 0).await;
    (app, household)
}

/// Another household of the same village, as the first.
pub async fn at_risk(app: &TestApp, order: u32) -> String {
    let household = app.registered(crate::support::VILLAGE, order).await.household_id;
    observed(app, &household, "2024-05-31", 1_000_000).await;
    observed(app, &household, "2025-05-31", 2_000_000).await;
    household
}

/// Records wages of the twelve months to a day; the line for two is 14,000 yuan.
pub async fn observed(app: &TestApp, household: &str, window_ends_on: &str, wages_fen: i64) {
    let draft =
        v1::ObservationDraft { window_ends_on: date(window_ends_on), wages_fen, ..made::observation(household) };
    made::record(&mut app.hq(), draft).await.unwrap();
}

/// A case that is opened in June 2024 for illness and housing.
pub fn case(household: &str) -> CaseDraft {
    CaseDraft {
        case_id: Uuid::new_v4().to_string(),
        household_id: household.to_owned(),
        category: "unstable".to_owned(),
        risks: vec![Risk::Illness.into(), Risk::Housing.into()],
        opened_on: date("2024-06-10"),
        performed_by: "opener".to_owned(),
        ..CaseDraft::default()
    }
}

/// A step as the right person takes it.
pub fn step(case_id: &str, step: Step, on: NaiveDate) -> StepRecord {
    let performed_by = match step {
        Step::HomeVerification => "verifier",
        Step::TownReview => "reviewer",
        Step::CountyApproval => "approver",
        _ => "clerk",
    };
    StepRecord {
        case_id: case_id.to_owned(),
        step: step.into(),
        occurred_on: Some(on.into()),
        performed_by: performed_by.to_owned(),
        ..StepRecord::default()
    }
}

/// The eight steps from a day on, each on the first day on which it may be: the last is five days later.
pub fn track(case_id: &str, from: &str) -> Vec<StepRecord> {
    let wait = |place: usize| if place < 5 { 0 } else { 5 };
    let on = |place| day(from).checked_add_days(Days::new(wait(place))).unwrap();
    (0..).zip(STEPS).map(|(place, of)| step(case_id, of, on(place))).collect()
}

pub fn refusal(record: StepRecord) -> StepRecord {
    StepRecord { refused: true, reason: "不符合".to_owned(), ..record }
}

pub fn removal(case_id: &str, kind: RemovalKind, on: &str) -> RemovalProposal {
    RemovalProposal {
        case_id: case_id.to_owned(),
        kind: kind.into(),
        proposed_on: date(on),
        performed_by: "proposer".to_owned(),
        expected_version: 0,
    }
}

pub fn measure(risk: Risk, planned_on: &str) -> MeasureDraft {
    MeasureDraft {
        risk: risk.into(),
        family: MeasureFamily::Health.into(),
        owner: "cadre-7".to_owned(),
        planned_on: date(planned_on),
        due_on: date("2025-12-31"),
        planned_fen: 50_000,
    }
}

impl Clients {
    pub async fn open(&mut self, case: CaseDraft) -> Result<v1::Case, Status> {
        let request = v1::OpenCaseRequest { request_id: new_request_id(), case: Some(case) };
        Ok(self.cases.open_case(request).await?.into_inner().case.unwrap())
    }

    pub async fn step(&mut self, step: StepRecord) -> Result<v1::Case, Status> {
        let request = v1::RecordStepRequest { request_id: new_request_id(), step: Some(step) };
        Ok(self.cases.record_step(request).await?.into_inner().case.unwrap())
    }

    pub async fn propose(&mut self, removal: RemovalProposal) -> Result<v1::Case, Status> {
        let request = v1::ProposeRemovalRequest { request_id: new_request_id(), removal: Some(removal) };
        Ok(self.cases.propose_removal(request).await?.into_inner().case.unwrap())
    }

    pub async fn roll_back(&mut self, case_id: &str, on: &str) -> Result<v1::Case, Status> {
        let request = v1::RollBackRemovalRequest {
            request_id: new_request_id(),
            case_id: case_id.to_owned(),
            reason: "复核不实".to_owned(),
            occurred_on: date(on),
            expected_version: 0,
        };
        Ok(self.cases.roll_back_removal(request).await?.into_inner().case.unwrap())
    }

    pub async fn plan(&mut self, case_id: &str, measure: MeasureDraft) -> Result<v1::Measure, Status> {
        let plan = v1::MeasurePlan {
            measure_id: Uuid::new_v4().to_string(),
            case_id: case_id.to_owned(),
            measure: Some(measure),
        };
        let request = v1::PlanMeasureRequest { request_id: new_request_id(), measure: Some(plan) };
        Ok(self.cases.plan_measure(request).await?.into_inner().measure.unwrap())
    }

    pub async fn finish(&mut self, measure_id: &str, on: &str, cancelled: bool) -> Result<v1::Measure, Status> {
        let result = v1::MeasureResult {
            measure_id: measure_id.to_owned(),
            cancelled,
            outcome: "已落实".to_owned(),
            finished_on: date(on),
            spent_fen: 40_000,
        };
        let request = v1::FinishMeasureRequest { request_id: new_request_id(), result: Some(result) };
        Ok(self.cases.finish_measure(request).await?.into_inner().measure.unwrap())
    }

    pub async fn case(&mut self, case_id: &str) -> Result<v1::Case, Status> {
        let request = v1::GetCaseRequest { case_id: case_id.to_owned() };
        Ok(self.cases.get_case(request).await?.into_inner().case.unwrap())
    }

    pub async fn notice(&mut self, case_id: &str) -> Result<v1::PublicNotice, Status> {
        let request = v1::RenderNoticeRequest { case_id: case_id.to_owned() };
        Ok(self.cases.render_notice(request).await?.into_inner().notice.unwrap())
    }

    pub async fn overdue(&mut self, region: &str, size: i32, token: &str) -> v1::ListOverdueStepsResponse {
        let request = v1::ListOverdueStepsRequest {
            region_code: region.to_owned(),
            page_size: size,
            page_token: token.to_owned(),
        };
        self.cases.list_overdue_steps(request).await.unwrap().into_inner()
    }

    /// A case that is under monitoring since 2024-06-15.
    pub async fn monitored(&mut self, household: &str) -> v1::Case {
        let opened = self.open(case(household)).await.unwrap();
        self.take(track(&opened.case_id, "2024-06-10")).await
    }

    /// A case that was removed on 2025-06-15.
    pub async fn removed(&mut self, household: &str) -> v1::Case {
        let case = self.monitored(household).await;
        self.propose(removal(&case.case_id, RemovalKind::Natural, "2025-06-10")).await.unwrap();
        self.take(track(&case.case_id, "2025-06-10")).await
    }

    /// Takes steps, and returns the case after the last.
    pub async fn take(&mut self, steps: impl IntoIterator<Item = StepRecord>) -> v1::Case {
        let mut case = None;
        for step in steps {
            case = Some(self.step(step).await.unwrap());
        }
        case.expect("there are steps")
    }
}

impl TestApp {
    /// What the stated changes of a count come to in a village on a day.
    pub async fn count_of(&self, counted: Counted, village: &str, on: &str) -> i64 {
        let mut changes = self.events::<v1::CountChanged>().await;
        changes.extend(self.events::<v1::SignalRaised>().await.into_iter().flat_map(|raised| raised.counts));
        changes.extend(self.events::<v1::SignalDecided>().await.into_iter().flat_map(|decided| decided.counts));
        let until = day(on);
        let counts = |change: &&v1::CountChanged| {
            let since: NaiveDate = change.occurred_on.unwrap().try_into().unwrap();
            change.counted() == counted && change.region_code == village && since <= until
        };
        changes.iter().filter(counts).map(|change| change.change).sum()
    }

    /// Whether rules are told that a household is under monitoring.
    pub async fn is_monitored(&self, household: &str) -> bool {
        sqlx::query_scalar("SELECT monitored FROM profile WHERE household_id = $1")
            .bind(Uuid::parse_str(household).unwrap())
            .fetch_one(&self.owner)
            .await
            .unwrap()
    }

    /// All that is kept of cases, as one text; whatever changes shows in it.
    pub async fn all_of_cases(&self) -> String {
        let query = "
            SELECT md5(string_agg(row, '|' ORDER BY row)) || count(*)
            FROM (
                SELECT cases::text FROM cases UNION ALL SELECT case_entry::text FROM case_entry
                UNION ALL SELECT measure::text FROM measure UNION ALL SELECT signal::text FROM signal
                UNION ALL SELECT event_id::text FROM event UNION ALL SELECT profile::text FROM profile
            ) AS everything (row)";
        sqlx::query_scalar(query).fetch_one(&self.owner).await.unwrap()
    }
}
