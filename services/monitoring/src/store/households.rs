//! Households, as far as everything that changes something of one has to know.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::region::RegionCode;
use uuid::Uuid;

use super::{named, region};
use crate::{
    domain::{HouseholdId, household::SocialSupport},
    error::Error,
};

/// A household without its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Identifier.
    pub id: HouseholdId,
    /// Its village.
    pub region: RegionCode,
    /// The household that it was merged into.
    pub merged_into: Option<HouseholdId>,
    /// Whether it was lifted out of poverty by 2020.
    pub lifted_from_poverty: bool,
    /// Social support.
    pub support: SocialSupport,
    /// Day of its last move.
    pub moved_on: Option<NaiveDate>,
    /// Its version.
    pub version: i64,
}

impl Head {
    /// The household, unless it was merged into another.
    pub fn unmerged(self) -> Result<Self, Error> {
        match self.merged_into {
            None => Ok(self),
            Some(kept) => Err(Error::HouseholdMerged(kept)),
        }
    }
}

/// Locks a household until the end of the transaction.
pub async fn lock_head(conn: &mut PgConnection, id: HouseholdId) -> Result<Head, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT household_id, region_code, merged_into, lifted_from_poverty, support, moved_on, version
        FROM household
        WHERE household_id = $1
        FOR UPDATE
        "#,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    row.ok_or(Error::HouseholdNotFound(id))?.try_into()
}

/// Reads a household without its members.
pub async fn find_head(conn: &mut PgConnection, id: HouseholdId) -> Result<Head, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT household_id, region_code, merged_into, lifted_from_poverty, support, moved_on, version
        FROM household
        WHERE household_id = $1
        "#,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    row.ok_or(Error::HouseholdNotFound(id))?.try_into()
}

struct Row {
    household_id: Uuid,
    region_code: i64,
    merged_into: Option<Uuid>,
    lifted_from_poverty: bool,
    support: String,
    moved_on: Option<NaiveDate>,
    version: i64,
}

impl TryFrom<Row> for Head {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: HouseholdId(row.household_id),
            region: region(row.region_code)?,
            merged_into: row.merged_into.map(HouseholdId),
            lifted_from_poverty: row.lifted_from_poverty,
            support: named(SocialSupport::by_name(&row.support), &row.support)?,
            moved_on: row.moved_on,
            version: row.version,
        })
    }
}
