//! Heads of many households at once.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{households::Head, named, region};
use crate::{
    domain::{HouseholdId, household::SocialSupport},
    error::Error,
};

/// Locks households in the order of their identifiers, so that nobody waits in a circle. Those that are not visible
/// are missing.
pub async fn lock(conn: &mut PgConnection, ids: &[HouseholdId]) -> Result<HashMap<HouseholdId, Head>, Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"
        SELECT household_id, region_code, merged_into, lifted_from_poverty, support, moved_on, version
        FROM household
        WHERE household_id = ANY($1)
        ORDER BY household_id
        FOR UPDATE
        "#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let mut heads = HashMap::new();
    for row in rows {
        let id = HouseholdId(row.household_id);
        let head = Head {
            id,
            region: region(row.region_code)?,
            merged_into: row.merged_into.map(HouseholdId),
            lifted_from_poverty: row.lifted_from_poverty,
            support: named(SocialSupport::by_name(&row.support), &row.support)?,
            moved_on: row.moved_on,
            version: row.version,
        };
        heads.insert(id, head);
    }
    Ok(heads)
}
