//! What is known of regions: asked by the code, within the scope of the transaction.

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{Region, RegionError, RegionRefused, region::not_withdrawn};
use crate::region::RegionCode;

/// Reads a region that the transaction may see, of any level.
///
/// # Errors
/// [`RegionRefused::NotFound`], and faults of the database.
pub async fn find(conn: &mut PgConnection, region: RegionCode) -> Result<Region, RegionError> {
    let found = sqlx::query_as!(
        Region,
        "SELECT region_code, name, level, parent_code, valid_from, valid_until FROM region WHERE region_code = $1",
        region.number(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.ok_or(RegionRefused::NotFound(region))?)
}

/// Makes sure that the transaction may see a region of the register, valid or not.
///
/// # Errors
/// As those of [`find`].
pub async fn ensure(conn: &mut PgConnection, region: RegionCode) -> Result<(), RegionError> {
    find(conn, region).await.map(drop)
}

/// Reads a region, which nobody else may lock or change until the transaction ends.
///
/// # Errors
/// As those of [`find`].
pub async fn lock(conn: &mut PgConnection, region: RegionCode) -> Result<Region, RegionError> {
    let found = sqlx::query_as!(
        Region,
        r#"
        SELECT region_code, name, level, parent_code, valid_from, valid_until
        FROM region
        WHERE region_code = $1
        FOR UPDATE
        "#,
        region.number(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.ok_or(RegionRefused::NotFound(region))?)
}

/// Some regions, and from which day on the codes of those that were withdrawn are not valid.
#[derive(Debug, Default)]
pub struct KnownRegions(HashMap<RegionCode, Option<NaiveDate>>);

/// Reads those of some regions that the transaction may see.
///
/// # Errors
/// When Postgres fails.
pub async fn known(
    conn: &mut PgConnection,
    regions: impl IntoIterator<Item = RegionCode>,
) -> Result<KnownRegions, sqlx::Error> {
    let mut codes: Vec<i64> = regions.into_iter().map(RegionCode::number).collect();
    codes.sort_unstable();
    codes.dedup();
    if codes.is_empty() {
        return Ok(KnownRegions::default());
    }
    let found =
        sqlx::query!("SELECT region_code, valid_until FROM region WHERE region_code = ANY($1)", &codes).fetch_all(conn);
    Ok(KnownRegions(found.await?.into_iter().map(|row| (row.region_code, row.valid_until)).collect()))
}

impl KnownRegions {
    /// Makes sure that something may start in a region on a day.
    ///
    /// # Errors
    /// When there is no such region, or its code is withdrawn by then.
    pub fn open_on(&self, region: RegionCode, day: NaiveDate) -> Result<(), RegionRefused> {
        let withdrawn = self.0.get(&region).ok_or(RegionRefused::NotFound(region))?;
        not_withdrawn(region, *withdrawn, day)
    }
}
