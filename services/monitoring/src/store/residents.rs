//! Where many households live, locked at once.

use std::collections::HashMap;

use sqlx::PgConnection;
use tongxin_platform::region::RegionCode;
use uuid::Uuid;

use super::region;
use crate::{domain::HouseholdId, error::Error};

/// Where a household lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resident {
    /// Its village.
    pub region: RegionCode,
    /// The household that it was merged into.
    pub merged_into: Option<HouseholdId>,
}

/// Locks households, in the order of their identifiers. Those that the transaction may not see are missing.
pub async fn lock(
    conn: &mut PgConnection,
    households: &[HouseholdId],
) -> Result<HashMap<HouseholdId, Resident>, Error> {
    let ids: Vec<Uuid> = households.iter().map(|household| household.0).collect();
    let rows = sqlx::query!(
        r#"
        SELECT household_id, region_code, merged_into
        FROM household
        WHERE household_id = ANY($1)
        ORDER BY household_id
        FOR UPDATE
        "#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let read = |(id, code, merged_into): (Uuid, i64, Option<Uuid>)| {
        Ok((HouseholdId(id), Resident { region: region(code)?, merged_into: merged_into.map(HouseholdId) }))
    };
    rows.into_iter().map(|row| read((row.household_id, row.region_code, row.merged_into))).collect()
}
