//! Reads complete cases.

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    domain::{
        CaseId, HouseholdId, RuleSetId, SignalId,
        case::{Case, CaseRefused, Due, Emergency, Entry, Fact, History, Removal, RemovalKind, Stage, StageName},
        procedure::Step,
        risk::Risk,
    },
    error::Error,
    store::{named, region},
};

pub(super) struct Row {
    pub case_id: Uuid,
    pub household_id: Uuid,
    pub region_code: i64,
    pub rule_set_id: Uuid,
    pub category: String,
    pub risks: Vec<String>,
    pub risk_remark: String,
    pub emergency: Option<String>,
    pub opened_on: NaiveDate,
    pub stage: String,
    pub next_step: Option<String>,
    pub next_due_on: Option<NaiveDate>,
    pub identified_on: Option<NaiveDate>,
    pub removal_kind: Option<String>,
    pub proposed_by: Option<String>,
    pub removed_on: Option<NaiveDate>,
    pub relapse_of: Option<Uuid>,
    pub signal_ids: Vec<Uuid>,
    pub version: i64,
}

impl Row {
    fn stage(&self) -> Result<Stage, Error> {
        let name = named(StageName::by_name(&self.stage), &self.stage)?;
        let read = || match name {
            StageName::Identifying => Some(Stage::Identifying { next: self.next()? }),
            StageName::Monitored => Some(Stage::Monitored { identified_on: self.identified_on? }),
            StageName::Removing => {
                let (identified_on, removal, next) = (self.identified_on?, self.removal()?, self.next()?);
                Some(Stage::Removing { identified_on, removal, next })
            }
            StageName::Removed => {
                let (identified_on, removal, removed_on) = (self.identified_on?, self.removal()?, self.removed_on?);
                Some(Stage::Removed { identified_on, removal, removed_on })
            }
            StageName::Refused => Some(Stage::Refused),
        };
        read().ok_or_else(|| Error::Corrupt(format!("the case {} without what its stage has", self.case_id)))
    }

    fn next(&self) -> Option<Due> {
        Some(Due { step: Step::by_name(self.next_step.as_deref()?)?, on: self.next_due_on? })
    }

    fn removal(&self) -> Option<Removal> {
        let kind = RemovalKind::by_name(self.removal_kind.as_deref()?)?;
        Some(Removal { kind, proposed_by: self.proposed_by.clone()? })
    }

    /// The case with its history, or without one for a list.
    pub(super) fn with(self, history: History) -> Result<Case, Error> {
        let risks = self.risks.iter().map(|name| named(Risk::by_name(name), name));
        let emergency = self.emergency.as_deref().map(|name| named(Emergency::by_name(name), name));
        Ok(Case {
            id: CaseId(self.case_id),
            household: HouseholdId(self.household_id),
            region: region(self.region_code)?,
            rule_set: RuleSetId(self.rule_set_id),
            risks: risks.collect::<Result<_, _>>()?,
            emergency: emergency.transpose()?,
            relapse_of: self.relapse_of.map(CaseId),
            signals: self.signal_ids.iter().copied().map(SignalId).collect(),
            stage: self.stage()?,
            version: self.version,
            category: self.category,
            risk_remark: self.risk_remark,
            history,
        })
    }
}

pub async fn find(conn: &mut PgConnection, id: CaseId) -> Result<Case, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT case_id, household_id, region_code, rule_set_id, category, risks, risk_remark, emergency, opened_on, stage,
               next_step, next_due_on, identified_on, removal_kind, proposed_by, removed_on, relapse_of, signal_ids,
               version
        FROM cases
        WHERE case_id = $1
        "#,
        id.0,
    )
    .fetch_all(&mut *conn)
    .await?;
    with_histories(conn, rows).await?.pop().ok_or_else(|| CaseRefused::NotFound(id).into())
}

pub async fn of_households(conn: &mut PgConnection, households: &[HouseholdId]) -> Result<Vec<Case>, Error> {
    let households: Vec<Uuid> = households.iter().map(|household| household.0).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT case_id, household_id, region_code, rule_set_id, category, risks, risk_remark, emergency, opened_on, stage,
               next_step, next_due_on, identified_on, removal_kind, proposed_by, removed_on, relapse_of, signal_ids,
               version
        FROM cases
        WHERE household_id = ANY($1)
        "#,
        &households,
    )
    .fetch_all(&mut *conn)
    .await?;
    with_histories(conn, rows).await
}

/// The households of some cases, which never change. Cases that are not visible are missing.
pub async fn households_of(conn: &mut PgConnection, cases: &[CaseId]) -> Result<HashMap<CaseId, HouseholdId>, Error> {
    if cases.is_empty() {
        return Ok(HashMap::new());
    }
    let cases: Vec<Uuid> = cases.iter().map(|case| case.0).collect();
    let rows =
        sqlx::query!("SELECT case_id, household_id FROM cases WHERE case_id = ANY($1)", &cases).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (CaseId(row.case_id), HouseholdId(row.household_id))).collect())
}

async fn with_histories(conn: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Case>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.case_id).collect();
    let mut histories = histories(conn, &ids).await?;
    let whole = |row: Row| {
        let history = histories.remove(&row.case_id).unwrap_or_default();
        row.with(History::of(history))
    };
    rows.into_iter().map(whole).collect()
}

async fn histories(conn: &mut PgConnection, cases: &[Uuid]) -> Result<HashMap<Uuid, Vec<Entry>>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT case_id, kind, step, occurred_on, due_on, performed_by, reason
        FROM case_entry
        WHERE case_id = ANY($1)
        ORDER BY case_id, position
        "#,
        cases,
    )
    .fetch_all(conn)
    .await?;
    let mut histories: HashMap<Uuid, Vec<Entry>> = HashMap::new();
    for row in rows {
        let step = row.step.as_deref().map(|name| named(Step::by_name(name), name)).transpose()?;
        let entry = Entry {
            fact: named(Fact::by_name(&row.kind, step), &row.kind)?,
            occurred_on: row.occurred_on,
            due_on: row.due_on,
            performed_by: row.performed_by,
            reason: row.reason,
        };
        histories.entry(row.case_id).or_default().push(entry);
    }
    Ok(histories)
}
