//! The register of regions, as it is read.

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{
    page::Page,
    region::{RegionCode, RegionRange},
};

use super::{by_name, period, region};
use crate::{
    domain::register::{Region, RegisterLevel},
    error::{Error, Refused},
};

pub(super) struct Row {
    pub region_code: i64,
    pub name: String,
    pub level: String,
    pub parent_code: Option<i64>,
    pub valid_from: NaiveDate,
    pub valid_until: Option<NaiveDate>,
    pub assisted_from: Option<NaiveDate>,
    pub assisted_until: Option<NaiveDate>,
}

impl TryFrom<Row> for Region {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let assisted = row.assisted_from.map(|from| period(from, row.assisted_until)).transpose()?;
        Ok(Self {
            code: region(row.region_code)?,
            name: row.name,
            level: by_name(&RegisterLevel::ALL, RegisterLevel::name, &row.level)?,
            parent: row.parent_code.map(region).transpose()?,
            valid: period(row.valid_from, row.valid_until)?,
            assisted,
        })
    }
}

/// Reads a region.
pub async fn find(conn: &mut PgConnection, code: RegionCode) -> Result<Region, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT region.region_code, name, level, parent_code, valid_from, valid_until,
               last.from_date AS "assisted_from?", last.until_date AS assisted_until
        FROM region
        LEFT JOIN LATERAL (
            SELECT from_date, until_date
            FROM assistance
            WHERE assistance.region_code = region.region_code
            ORDER BY from_date DESC
            LIMIT 1
        ) AS last ON true
        WHERE region.region_code = $1
        "#,
        code.number(),
    )
    .fetch_optional(conn)
    .await?;
    row.ok_or_else(|| Refused::RegionNotFound(code.to_string()))?.try_into()
}

/// Lists the regions directly below one, by code.
///
/// Says "below this one" as a range: an equality would let the planner walk the whole register by code and pick out the
/// children.
pub async fn list(conn: &mut PgConnection, parent: RegionCode, page: &Page<i64>) -> Result<Vec<Region>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT region.region_code, name, level, parent_code, valid_from, valid_until,
               last.from_date AS "assisted_from?", last.until_date AS assisted_until
        FROM region
        LEFT JOIN LATERAL (
            SELECT from_date, until_date
            FROM assistance
            WHERE assistance.region_code = region.region_code
            ORDER BY from_date DESC
            LIMIT 1
        ) AS last ON true
        WHERE (parent_code, region.region_code) > ($1, $2) AND parent_code <= $1
        ORDER BY parent_code, region.region_code
        LIMIT $3
        "#,
        parent.number(),
        page.after.unwrap_or_default(),
        page.fetch(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Region::try_from).collect()
}

/// Which of some regions are registered, visible and valid on a day.
pub async fn existing(conn: &mut PgConnection, codes: &[RegionCode], day: NaiveDate) -> Result<Vec<RegionCode>, Error> {
    let codes: Vec<i64> = codes.iter().map(|code| code.number()).collect();
    let found = sqlx::query_scalar!(
        r#"
        SELECT region_code
        FROM region
        WHERE region_code = ANY($1) AND (valid_until IS NULL OR valid_until > $2)
        "#,
        &codes,
        day,
    )
    .fetch_all(conn)
    .await?;
    found.into_iter().map(region).collect()
}

/// Those of some regions whose code was withdrawn, and from which day on.
pub async fn withdrawn(conn: &mut PgConnection, codes: &[RegionCode]) -> Result<HashMap<RegionCode, NaiveDate>, Error> {
    let codes: Vec<i64> = codes.iter().map(|code| code.number()).collect();
    let rows = sqlx::query!(
        r#"
        SELECT region_code, valid_until AS "valid_until!"
        FROM region
        WHERE region_code = ANY($1) AND valid_until IS NOT NULL
        "#,
        &codes,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((region(row.region_code)?, row.valid_until))).collect()
}

/// A village that counts as assisted.
#[derive(Debug, Clone)]
pub struct AssistedVillage {
    /// Its code.
    pub code: RegionCode,
    /// Its name.
    pub name: String,
}

/// The villages of a region that count as assisted on a day, by code.
pub async fn assisted_villages(
    conn: &mut PgConnection,
    within: RegionCode,
    day: NaiveDate,
) -> Result<Vec<AssistedVillage>, Error> {
    let RegionRange { from, until } = within.range();
    let rows = sqlx::query!(
        r#"
        SELECT region.region_code, name
        FROM assistance
        JOIN region ON region.region_code = assistance.region_code
        WHERE assistance.region_code >= $1 AND assistance.region_code < $2
            AND assistance.level = 'village'
            AND from_date <= $3 AND (until_date IS NULL OR until_date > $3)
        ORDER BY region.region_code
        "#,
        from,
        until,
        day,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok(AssistedVillage { code: region(row.region_code)?, name: row.name })).collect()
}
