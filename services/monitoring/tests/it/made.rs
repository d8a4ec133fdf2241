//! Households and rule sets that tests are made of.

use sqlx::PgPool;
use tongxin_proto::monitoring::v1::{self, DayKind, HousingGrade, Risk, Step};
use tonic::Status;
use uuid::Uuid;

use crate::support::{Clients, TestApp, date, new_request_id};

/// A household of four in a village: two labourers who work, a student, and one who is seriously ill.
///
/// Written as it is kept, because nothing here is about what is personal of it.
pub async fn household(app: &TestApp, village: &str) -> String {
    household_of(&app.owner, village, None).await
}

/// The same with a national number.
pub async fn household_with_number(app: &TestApp, village: &str, number: &str) -> String {
    household_of(&app.owner, village, Some(number)).await
}

async fn household_of(owner: &PgPool, village: &str, number: Option<&str>) -> String {
    let id = Uuid::new_v4();
    let region: i64 = village.parse().unwrap();
    sqlx::query(
        "INSERT INTO household (household_id, household_number, region_code, lifted_from_poverty, support, data_key,
                                sealed_contact, registered_on, register_time, version)
         VALUES ($1, $2, $3, true, 'none', '', '', '2021-01-01', now(), 1)",
    )
    .bind(id)
    .bind(number)
    .bind(region)
    .execute(owner)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO profile (household_id, region_code, persons, labourers, students, children_out_of_school, elderly,
                              disabled, seriously_ill, chronically_ill, workers, uninsured, lifted_from_poverty, support,
                              monitored)
         VALUES ($1, $2, 4, 2, 1, 0, 0, 0, 1, 0, 2, 0, true, 'none', false)",
    )
    .bind(id)
    .bind(region)
    .execute(owner)
    .await
    .unwrap();
    id.to_string()
}

/// 10,000.00 yuan of wages in the twelve months to May 2025, and all guarantees.
pub fn observation(household_id: &str) -> v1::ObservationDraft {
    v1::ObservationDraft {
        household_id: household_id.to_owned(),
        window_ends_on: date("2025-05-31"),
        wages_fen: 1_000_000,
        schooling_guaranteed: true,
        medical_guaranteed: true,
        housing_grade: HousingGrade::A.into(),
        water_safe: true,
        ..v1::ObservationDraft::default()
    }
}

pub async fn record(
    clients: &mut Clients,
    observation: v1::ObservationDraft,
) -> Result<v1::RecordObservationResponse, Status> {
    let request = v1::RecordObservationRequest { request_id: new_request_id(), observation: Some(observation) };
    Ok(clients.observations.record_observation(request).await?.into_inner())
}

/// A screening rule that explains itself by income.
pub fn rule(number: i32, cause: Risk, expression: &str) -> v1::ScreeningRule {
    v1::ScreeningRule {
        number,
        name: format!("规则{number}"),
        cause: cause.into(),
        expression: expression.to_owned(),
        message: "人均纯收入 {yuan(per_capita_net_income)} 元".to_owned(),
    }
}

/// A sound rule set for a region from 2021 on, with a line of 7,000 yuan and one rule: income below it.
pub fn rule_set(region: &str) -> v1::RuleSetDraft {
    let deadline = |step: i32| v1::StepDeadline { step, days: 2, kind: DayKind::Calendar.into(), emergency_days: 5 };
    v1::RuleSetDraft {
        name: "试行规则".to_owned(),
        region_code: region.to_owned(),
        effective_from: date("2021-01-01"),
        effective_until: None,
        lines: vec![v1::MonitoringLine { year: 2021, line_fen: 700_000 }],
        categories: vec![v1::Category {
            code: "marginal".to_owned(),
            name: "边缘易致贫户".to_owned(),
            condition: "!lifted_from_poverty".to_owned(),
        }],
        deadlines: (Step::Authorisation.into()..=Step::CountyApproval.into()).map(deadline).collect(),
        notice_min_days: 5,
        removal: Some(v1::RemovalConditions {
            min_months: 6,
            stable_months: 6,
            condition: "per_capita_net_income > line && water_safe".to_owned(),
        }),
        rules: vec![rule(1, Risk::Other, "per_capita_net_income < line")],
    }
}

pub async fn store(clients: &mut Clients, draft: v1::RuleSetDraft) -> Result<v1::RuleSet, Status> {
    let request = v1::StoreRuleSetRequest { request_id: new_request_id(), rule_set: Some(draft) };
    Ok(clients.rules.store_rule_set(request).await?.into_inner().rule_set.unwrap())
}
