//! Lists of cases, and of overdue steps.

use std::{fmt, str::FromStr};

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{
    page::Page,
    region::{RegionCode, RegionRange},
};
use uuid::Uuid;

use super::read::Row;
use crate::{
    domain::{
        CaseId, HouseholdId,
        case::{Case, History, StageName},
        procedure::Step,
    },
    error::Error,
    store::{named, region},
};

/// The key of a list that is ordered by day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayKey {
    pub day: NaiveDate,
    /// Tie-breaker within the day.
    pub id: Uuid,
}

impl DayKey {
    /// The values to compare day and identifier with. Without a key they sort before every row.
    fn columns(after: Option<Self>) -> (NaiveDate, Uuid) {
        let first = NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or_default();
        after.map_or((first, Uuid::nil()), |key| (key.day, key.id))
    }
}

impl fmt::Display for DayKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.day, self.id)
    }
}

/// Text that is no such key.
#[derive(Debug)]
pub struct NotADayKey;

impl FromStr for DayKey {
    type Err = NotADayKey;

    fn from_str(text: &str) -> Result<Self, NotADayKey> {
        let (day, id) = text.split_once(' ').ok_or(NotADayKey)?;
        Ok(Self { day: day.parse().map_err(|_| NotADayKey)?, id: id.parse().map_err(|_| NotADayKey)? })
    }
}

/// Filter of a list of cases.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this region or below.
    pub region: Option<RegionCode>,
    pub stage: Option<StageName>,
    pub household: Option<HouseholdId>,
}

/// Lists cases without their histories, each with the day it was opened; oldest first.
pub async fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    page: &Page<DayKey>,
) -> Result<Vec<(NaiveDate, Case)>, Error> {
    let range = filter.region.map_or(RegionRange::EVERYWHERE, RegionCode::range);
    let stage = filter.stage.map(StageName::name);
    let (after_day, after_id) = DayKey::columns(page.after);
    let rows = match filter.household {
        Some(household) => {
            sqlx::query_as!(
                Row,
                r#"
                SELECT case_id, household_id, region_code, rule_set_id, category, risks, risk_remark, emergency,
                       opened_on, stage, next_step, next_due_on, identified_on, removal_kind, proposed_by, removed_on,
                       relapse_of, signal_ids, version
                FROM cases
                WHERE household_id = $7
                    AND region_code >= $1 AND region_code < $2
                    AND ($3::text IS NULL OR stage = $3)
                    AND (opened_on, case_id) > ($4, $5)
                ORDER BY opened_on, case_id
                LIMIT $6
                "#,
                range.from,
                range.until,
                stage,
                after_day,
                after_id,
                page.fetch(),
                household.0,
            )
            .fetch_all(conn)
            .await?
        }
        None => {
            sqlx::query_as!(
                Row,
                r#"
                SELECT case_id, household_id, region_code, rule_set_id, category, risks, risk_remark, emergency,
                       opened_on, stage, next_step, next_due_on, identified_on, removal_kind, proposed_by, removed_on,
                       relapse_of, signal_ids, version
                FROM cases
                WHERE region_code >= $1 AND region_code < $2
                    AND ($3::text IS NULL OR stage = $3)
                    AND (opened_on, case_id) > ($4, $5)
                ORDER BY opened_on, case_id
                LIMIT $6
                "#,
                range.from,
                range.until,
                stage,
                after_day,
                after_id,
                page.fetch(),
            )
            .fetch_all(conn)
            .await?
        }
    };
    rows.into_iter().map(|row| Ok((row.opened_on, row.with(History::default())?))).collect()
}

/// A step that was not done by its due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdue {
    pub case: CaseId,
    pub household: HouseholdId,
    pub region: RegionCode,
    pub step: Step,
    pub due_on: NaiveDate,
}

/// Lists the steps that were due before a day, longest overdue first.
pub async fn overdue(
    conn: &mut PgConnection,
    within: Option<RegionCode>,
    today: NaiveDate,
    page: &Page<DayKey>,
) -> Result<Vec<Overdue>, Error> {
    let range = within.map_or(RegionRange::EVERYWHERE, RegionCode::range);
    let (after_day, after_id) = DayKey::columns(page.after);
    let rows = sqlx::query!(
        r#"
        SELECT case_id, household_id, region_code, next_step AS "next_step!", next_due_on AS "next_due_on!"
        FROM cases
        WHERE region_code >= $1 AND region_code < $2
            AND next_due_on < $3
            AND (next_due_on, case_id) > ($4, $5)
        ORDER BY next_due_on, case_id
        LIMIT $6
        "#,
        range.from,
        range.until,
        today,
        after_day,
        after_id,
        page.fetch(),
    )
    .fetch_all(conn)
    .await?;
    let mut steps = Vec::new();
    for row in rows {
        steps.push(Overdue {
            case: CaseId(row.case_id),
            household: HouseholdId(row.household_id),
            region: region(row.region_code)?,
            step: named(Step::by_name(&row.next_step), &row.next_step)?,
            due_on: row.next_due_on,
        });
    }
    Ok(steps)
}
