//! The signals that cases are opened for, as far as opening one asks about them.

use std::collections::HashMap;

use sqlx::PgConnection;
use tongxin_platform::{db::Scope, request::Context};
use uuid::Uuid;

use crate::{
    domain::{HouseholdId, SignalId},
    error::Error,
};

/// What opening a case asks about a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Its household; once that was merged into another, the one that was kept.
    pub household: HouseholdId,
    /// Whether it was verified, and no case was opened for it yet.
    pub for_case: bool,
}

/// Finds signals wherever they are: those of a record that was merged into a household stay where it was registered.
/// Nothing is told of them but whether they are the household's.
pub async fn find(
    conn: &mut PgConnection,
    context: &Context,
    ids: &[SignalId],
) -> Result<HashMap<SignalId, Waiting>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    Scope::EVERYWHERE.set(conn).await?;
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"
        WITH RECURSIVE home (signal_id, household_id, for_case) AS (
            SELECT signal_id, household_id, state = 'verified' AND case_id IS NULL
            FROM signal
            WHERE signal_id = ANY($1)
            UNION ALL
            SELECT home.signal_id, household.merged_into, home.for_case
            FROM home
                JOIN household USING (household_id)
            WHERE household.merged_into IS NOT NULL
        )
        SELECT home.signal_id AS "signal_id!", home.household_id AS "household_id!", home.for_case AS "for_case!"
        FROM home
            JOIN household USING (household_id)
        WHERE household.merged_into IS NULL
        "#,
        &ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    Scope::range(context.regions).set(conn).await?;
    let waiting = |household, for_case| Waiting { household: HouseholdId(household), for_case };
    Ok(rows.into_iter().map(|row| (SignalId(row.signal_id), waiting(row.household_id, row.for_case))).collect())
}
