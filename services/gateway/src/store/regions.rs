//! The register of regions, for their names and for whether there are such.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::region::RegionCode;

/// A region as its owner states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Code.
    pub code: RegionCode,
    /// Name.
    pub name: String,
    /// Name of the level, where a community is not a village.
    pub level: &'static str,
    /// Code of the region above; none at the top.
    pub parent: Option<RegionCode>,
    /// First day on which the code is valid.
    pub valid_from: NaiveDate,
    /// First day on which it no longer is.
    pub valid_until: Option<NaiveDate>,
    /// The service that stated it.
    pub source: &'static str,
    /// Epoch of that service's log.
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
    let parents: Vec<Option<i64>> = newest.values().map(|region| region.parent.map(RegionCode::number)).collect();
    let from: Vec<NaiveDate> = newest.values().map(|region| region.valid_from).collect();
    let until: Vec<Option<NaiveDate>> = newest.values().map(|region| region.valid_until).collect();
    let sources: Vec<&str> = newest.values().map(|region| region.source).collect();
    let epochs: Vec<i64> = newest.values().map(|region| region.epoch).collect();
    let seqs: Vec<i64> = newest.values().map(|region| region.seq).collect();
    sqlx::query!(
        r#"
        INSERT INTO region
            (region_code, name, level, parent_code, valid_from, valid_until, source, epoch, seq)
        SELECT *
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::date[], $6::date[], $7::text[],
                    $8::bigint[], $9::bigint[])
        ON CONFLICT (region_code) DO UPDATE
        SET name = excluded.name,
            level = excluded.level,
            parent_code = excluded.parent_code,
            valid_from = excluded.valid_from,
            valid_until = excluded.valid_until,
            source = excluded.source,
            epoch = excluded.epoch,
            seq = excluded.seq
        -- An event that was parked comes after newer ones.
        WHERE (region.epoch, region.seq) < (excluded.epoch, excluded.seq)
        "#,
        &codes,
        &names as &[&str],
        &levels as &[&str],
        &parents as &[Option<i64>],
        &from,
        &until as &[Option<NaiveDate>],
        &sources as &[&str],
        &epochs,
        &seqs,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the regions that a source stated.
pub async fn forget(conn: &mut PgConnection, source: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM region WHERE source = $1", source).execute(conn).await?;
    Ok(())
}
