//! Signals, as far as opening a case needs them.

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::request::Context;
use uuid::Uuid;

use crate::{
    domain::{HouseholdId, SignalId},
    error::Error,
};

/// What opening a case needs of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Its household; if that was merged into another, the one that was kept.
    pub household: HouseholdId,
    /// Whether it was verified, and has no case yet.
    pub for_case: bool,
    /// Day of the decision.
    pub decided_on: Option<NaiveDate>,
}

/// Verified signals of households that have no case yet, including those of records that were merged into them, in all
/// regions: the caller who opens a case learns their identifiers, and nothing else.
pub async fn waiting(
    conn: &mut PgConnection,
    context: &Context,
    households: &[HouseholdId],
) -> Result<Vec<SignalId>, Error> {
    if households.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = households.iter().map(|household| household.0).collect();
    let waiting = sqlx::query_scalar!(
        r#"
        WITH RECURSIVE record (household_id) AS (
            SELECT unnest($1::uuid[])
            UNION
            SELECT taken.merged_id
            FROM record,
                LATERAL (SELECT merged_id FROM merge WHERE kept_id = household_id AND undone_on IS NULL OFFSET 0) AS taken
        )
        SELECT waiting.signal_id
        FROM record,
            LATERAL (
                SELECT signal_id
                FROM signal
                WHERE signal.household_id = record.household_id AND state = 'verified' AND case_id IS NULL
                OFFSET 0
            ) AS waiting
        "#,
        &ids,
    );
    let waiting = context.everywhere(conn, async |conn| waiting.fetch_all(conn).await).await?;
    Ok(waiting.into_iter().map(SignalId).collect())
}

/// Finds signals in all regions: those of a record that was merged into a household stay where it was registered. The
/// caller learns only whether they belong to the household.
pub async fn find(
    conn: &mut PgConnection,
    context: &Context,
    ids: &[SignalId],
) -> Result<HashMap<SignalId, Waiting>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"
        WITH RECURSIVE home (signal_id, household_id, for_case, decided_on) AS (
            SELECT signal_id, household_id, state = 'verified' AND case_id IS NULL, decided_on
            FROM signal
            WHERE signal_id = ANY($1)
            UNION ALL
            SELECT home.signal_id, household.merged_into, home.for_case, home.decided_on
            FROM home
                JOIN household USING (household_id)
            WHERE household.merged_into IS NOT NULL
        )
        SELECT home.signal_id AS "signal_id!", home.household_id AS "household_id!", home.for_case AS "for_case!",
               home.decided_on
        FROM home
            JOIN household USING (household_id)
        WHERE household.merged_into IS NULL
        "#,
        &ids,
    );
    let rows = context.everywhere(conn, async |conn| rows.fetch_all(conn).await).await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let household = HouseholdId(row.household_id);
        let waiting = Waiting { household, for_case: row.for_case, decided_on: row.decided_on };
        found.insert(SignalId(row.signal_id), waiting);
    }
    Ok(found)
}
