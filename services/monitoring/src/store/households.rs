//! Households.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::region::RegionCode;

use super::region;
use crate::{domain::HouseholdId, error::Error};

/// What is known of a household without opening anything.
#[derive(Debug, Clone)]
pub struct Head {
    /// Identifier.
    pub id: HouseholdId,
    /// Village or community.
    pub region: RegionCode,
    /// The household that it was merged into.
    pub merged_into: Option<HouseholdId>,
    /// Day of its last move.
    pub moved_on: Option<NaiveDate>,
}

impl Head {
    /// The same, unless it was merged into another.
    ///
    /// # Errors
    /// When it was.
    pub fn unmerged(self) -> Result<Self, Error> {
        match self.merged_into {
            Some(kept) => Err(Error::HouseholdMerged(kept)),
            None => Ok(self),
        }
    }
}

/// Holds a household still until the transaction ends.
pub async fn lock_head(conn: &mut PgConnection, id: HouseholdId) -> Result<Head, Error> {
    let row = sqlx::query!(
        r#"
        SELECT household_id, region_code, merged_into, moved_on
        FROM household
        WHERE household_id = $1
        FOR UPDATE
        "#,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    let row = row.ok_or(Error::HouseholdNotFound(id))?;
    Ok(Head {
        id,
        region: region(row.region_code)?,
        merged_into: row.merged_into.map(HouseholdId),
        moved_on: row.moved_on,
    })
}
