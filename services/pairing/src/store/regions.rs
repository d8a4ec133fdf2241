//! The register of regions, as it is read.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{
    page::Page,
    region::{RegionCode, RegionRange},
    register::{self, RegionLevel, RegionRefused},
};

use super::period;
use crate::{domain::register::Region, error::Error};

struct Row {
    region_code: RegionCode,
    name: String,
    level: RegionLevel,
    parent_code: Option<RegionCode>,
    valid_from: NaiveDate,
    valid_until: Option<NaiveDate>,
    assisted_from: Option<NaiveDate>,
    assisted_until: Option<NaiveDate>,
}

impl TryFrom<Row> for Region {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let Row { region_code, name, level, parent_code, valid_from, valid_until, .. } = row;
        let registered = register::Region { region_code, name, level, parent_code, valid_from, valid_until };
        let assisted = row.assisted_from.map(|from| period(from, row.assisted_until)).transpose()?;
        Ok(Self { registered, assisted })
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
    row.ok_or(RegionRefused::NotFound(code))?.try_into()
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

/// A village that counts as assisted.
#[derive(Debug, Clone)]
pub struct AssistedVillage {
    /// Its code.
    pub region_code: RegionCode,
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
    let villages = sqlx::query_as!(
        AssistedVillage,
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
    Ok(villages)
}
