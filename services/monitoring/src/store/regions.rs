//! The register of regions, as pairing states it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::region::RegionCode;

use crate::error::{Error, Refused};

/// A region as its owner states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Code.
    pub code: RegionCode,
    /// Name.
    pub name: String,
    /// Name of the level, where a community is not a village.
    pub level: &'static str,
    /// First day on which the code is valid.
    pub valid_from: NaiveDate,
    /// First day on which it no longer is.
    pub valid_until: Option<NaiveDate>,
    /// Epoch of the log that states it.
    pub epoch: i64,
    /// Number of the event in that log.
    pub seq: i64,
}

/// Keeps regions, the newest statement of each.
pub async fn save(conn: &mut PgConnection, regions: Vec<Region>) -> Result<(), sqlx::Error> {
    if regions.is_empty() {
        return Ok(());
    }
    // One statement cannot write a row twice, and locks rows in the order of their keys.
    let newest: BTreeMap<RegionCode, Region> = regions.into_iter().map(|region| (region.code, region)).collect();
    let codes: Vec<i64> = newest.keys().map(|code| code.number()).collect();
    let names: Vec<&str> = newest.values().map(|region| region.name.as_str()).collect();
    let levels: Vec<&str> = newest.values().map(|region| region.level).collect();
    let from: Vec<NaiveDate> = newest.values().map(|region| region.valid_from).collect();
    let until: Vec<Option<NaiveDate>> = newest.values().map(|region| region.valid_until).collect();
    let epochs: Vec<i64> = newest.values().map(|region| region.epoch).collect();
    let seqs: Vec<i64> = newest.values().map(|region| region.seq).collect();
    sqlx::query!(
        r#"
        INSERT INTO region (region_code, name, level, valid_from, valid_until, epoch, seq)
        SELECT *
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::date[], $5::date[], $6::bigint[], $7::bigint[])
        ON CONFLICT (region_code) DO UPDATE
        SET name = excluded.name,
            level = excluded.level,
            valid_from = excluded.valid_from,
            valid_until = excluded.valid_until,
            epoch = excluded.epoch,
            seq = excluded.seq
        -- An event that was parked comes after newer ones.
        WHERE (region.epoch, region.seq) < (excluded.epoch, excluded.seq)
        "#,
        &codes,
        &names as &[&str],
        &levels as &[&str],
        &from,
        &until as &[Option<NaiveDate>],
        &epochs,
        &seqs,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets all regions.
pub async fn forget(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM region").execute(conn).await?;
    Ok(())
}

/// The name of a region that the transaction may see, of any level.
pub async fn find_name(conn: &mut PgConnection, region: RegionCode) -> Result<String, Error> {
    let name = sqlx::query_scalar!("SELECT name FROM region WHERE region_code = $1", region.number())
        .fetch_optional(conn)
        .await?;
    name.ok_or_else(|| Refused::RegionNotFound(region.to_string()).into())
}

/// Which of some regions are registered, visible and valid on a day.
pub async fn existing(conn: &mut PgConnection, codes: &[RegionCode], day: NaiveDate) -> Result<Vec<RegionCode>, Error> {
    let codes: Vec<i64> = codes.iter().map(|code| code.number()).collect();
    let found = sqlx::query_scalar!(
        r#"
        SELECT region_code
        FROM region
        WHERE region_code = ANY($1) AND valid_from <= $2 AND (valid_until IS NULL OR valid_until > $2)
        "#,
        &codes,
        day,
    )
    .fetch_all(conn)
    .await?;
    found.into_iter().map(super::region).collect()
}

/// The level of a region that the transaction may see, where a community is not a village. Nobody changes what is
/// kept of the region as such until the transaction ends.
pub async fn lock_level(conn: &mut PgConnection, region: RegionCode) -> Result<String, Error> {
    let level = sqlx::query_scalar!("SELECT level FROM region WHERE region_code = $1 FOR UPDATE", region.number())
        .fetch_optional(conn)
        .await?;
    level.ok_or_else(|| Refused::RegionNotFound(region.to_string()).into())
}
