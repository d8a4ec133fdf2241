//! Verdicts: what rules said about households, with all their inputs.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::{PgConnection, types::Json};
use tongxin_platform::{region::RegionCode, request::Context};
use uuid::Uuid;

use crate::{
    domain::{HouseholdId, RuleSetId, VerdictId, household::Move, screening::Hit, verdict::Verdict},
    error::{Error, Refused},
};

/// Maximum number of verdicts in a list.
const MOST_LISTED: i64 = 200;

type Inputs = Json<BTreeMap<String, String>>;

/// Which of some hits are known: the same rule said the same about the same window, with the same inputs. With `open`,
/// a hit is known only while its signal is open.
pub async fn known(conn: &mut PgConnection, hits: &[Hit], open: bool) -> Result<Vec<Option<VerdictId>>, Error> {
    let columns = Columns::of(hits);
    let found = sqlx::query_scalar!(
        r#"
        SELECT (
            SELECT verdict_id
            FROM verdict
            WHERE verdict.household_id = hit.household_id
                AND verdict.rule_set_id = hit.rule_set_id
                AND verdict.rule_number = hit.rule_number
                AND verdict.window_ends_on = hit.window_ends_on
                AND verdict.inputs = hit.inputs
                AND (NOT $6 OR EXISTS (
                    SELECT
                    FROM signal_source JOIN signal USING (signal_id)
                    WHERE signal_source.verdict_id = verdict.verdict_id
                        AND signal.household_id = verdict.household_id
                        AND signal.state = 'open'
                ))
            LIMIT 1
        ) AS verdict_id
        FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::date[], $5::jsonb[]) WITH ORDINALITY
            AS hit (household_id, rule_set_id, rule_number, window_ends_on, inputs, position)
        ORDER BY hit.position
        "#,
        &columns.households,
        &columns.rule_sets,
        &columns.rule_numbers,
        &columns.windows,
        &columns.inputs as &[Inputs],
        open,
    )
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().map(|id| id.map(VerdictId)).collect())
}

/// Writes hits as verdicts of today, in the villages of their households.
pub async fn insert(
    conn: &mut PgConnection,
    context: &Context,
    hits: &[Hit],
    regions: &[RegionCode],
) -> Result<Vec<VerdictId>, Error> {
    let ids: Vec<VerdictId> = hits.iter().map(|_| VerdictId(context.new_id())).collect();
    let uuids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let regions: Vec<i64> = regions.iter().map(|region| region.number()).collect();
    let messages: Vec<&str> = hits.iter().map(|hit| hit.message.as_str()).collect();
    let columns = Columns::of(hits);
    sqlx::query!(
        r#"
        INSERT INTO verdict
            (verdict_id, household_id, region_code, rule_set_id, rule_number, window_ends_on, inputs, message,
             screened_on, record_time)
        SELECT new.*, $9, $10
        FROM unnest(
            $1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::integer[], $6::date[], $7::jsonb[], $8::text[]
        ) AS new
        "#,
        &uuids,
        &columns.households,
        &regions,
        &columns.rule_sets,
        &columns.rule_numbers,
        &columns.windows,
        &columns.inputs as &[Inputs],
        &messages as &[&str],
        context.today(),
        context.now,
    )
    .execute(conn)
    .await?;
    Ok(ids)
}

struct Columns {
    households: Vec<Uuid>,
    rule_sets: Vec<Uuid>,
    rule_numbers: Vec<i32>,
    windows: Vec<NaiveDate>,
    inputs: Vec<Inputs>,
}

impl Columns {
    fn of(hits: &[Hit]) -> Self {
        Self {
            households: hits.iter().map(|hit| hit.household.0).collect(),
            rule_sets: hits.iter().map(|hit| hit.rule_set.0).collect(),
            rule_numbers: hits.iter().map(|hit| hit.rule_number).collect(),
            windows: hits.iter().map(|hit| hit.window_ends_on).collect(),
            inputs: hits.iter().map(|hit| Json(hit.inputs.clone())).collect(),
        }
    }
}

/// The verdicts about a household, newest first.
pub async fn list(conn: &mut PgConnection, household: HouseholdId) -> Result<Vec<Verdict>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT verdict_id, household_id, rule_set_id, rule_number, inputs AS "inputs: Inputs", message, screened_on
        FROM verdict
        WHERE household_id = $1
        ORDER BY verdict_id DESC
        LIMIT $2
        "#,
        household.0,
        MOST_LISTED,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Verdict::from).collect())
}

pub async fn find(conn: &mut PgConnection, id: VerdictId) -> Result<Verdict, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT verdict_id, household_id, rule_set_id, rule_number, inputs AS "inputs: Inputs", message, screened_on
        FROM verdict
        WHERE verdict_id = $1
        "#,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Verdict::from).ok_or_else(|| Refused::VerdictNotFound(id).into())
}

/// Some verdicts, by identifier.
pub async fn find_many(conn: &mut PgConnection, ids: &[VerdictId]) -> Result<Vec<Verdict>, Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT verdict_id, household_id, rule_set_id, rule_number, inputs AS "inputs: Inputs", message, screened_on
        FROM verdict
        WHERE verdict_id = ANY($1)
        ORDER BY rule_number, verdict_id
        "#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Verdict::from).collect())
}

/// Moves the verdicts about a household to its new region.
pub async fn move_to(conn: &mut PgConnection, moved: &Move) -> Result<(), Error> {
    sqlx::query!("UPDATE verdict SET region_code = $2 WHERE household_id = $1", moved.household.0, moved.to.number(),)
        .execute(conn)
        .await?;
    Ok(())
}

struct Row {
    verdict_id: Uuid,
    household_id: Uuid,
    rule_set_id: Uuid,
    rule_number: i32,
    inputs: Inputs,
    message: String,
    screened_on: NaiveDate,
}

impl From<Row> for Verdict {
    fn from(row: Row) -> Self {
        Self {
            id: VerdictId(row.verdict_id),
            household: HouseholdId(row.household_id),
            rule_set: RuleSetId(row.rule_set_id),
            rule_number: row.rule_number,
            inputs: row.inputs.0,
            message: row.message,
            screened_on: row.screened_on,
        }
    }
}
