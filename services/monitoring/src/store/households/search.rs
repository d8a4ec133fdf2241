//! Finds households by their members.

use sqlx::PgConnection;
use tongxin_platform::region::{Level, RegionCode, RegionRange};

use super::whole::{Kept, open};
use crate::{
    domain::{disclosure::LookUpKey, household::Household},
    error::Error,
    store::keys::{Hash, Keys},
};

/// Maximum number of households in a result.
const FOUND: i64 = 50;

/// Divisor of a region code that leaves the county's six digits.
const COUNTY: i64 = 1_000_000;

/// The blind index to search by.
#[derive(Debug, Clone, Copy)]
pub enum Index {
    /// Of an ID number.
    IdNumber(Hash),
    /// Of a full name.
    Name(Hash),
}

impl Index {
    /// The kind of key, for the log.
    pub fn key(self) -> LookUpKey {
        match self {
            Self::IdNumber(_) => LookUpKey::IdNumber,
            Self::Name(_) => LookUpKey::Name,
        }
    }
}

/// Finds households by a member within a region, without merged ones, and opens their personal data.
pub async fn search(
    conn: &mut PgConnection,
    keys: &Keys,
    index: Index,
    region: RegionCode,
) -> Result<Vec<Household>, Error> {
    let RegionRange { from, until } = region.range();
    let found = match index {
        Index::IdNumber(hash) => {
            sqlx::query_as!(
                Kept,
                r#"
                SELECT household_id, household_number, region_code, lifted_from_poverty, support, data_key,
                       sealed_contact, merged_into, registered_on, moved_on, register_time, version
                FROM household
                WHERE merged_into IS NULL
                    AND household_id IN (
                        SELECT household_id
                        FROM member
                        WHERE id_index = $1 AND left_on IS NULL AND region_code >= $2 AND region_code < $3
                    )
                ORDER BY household_id
                LIMIT $4
                "#,
                hash,
                from,
                until,
                FOUND,
            )
            .fetch_all(&mut *conn)
            .await?
        }
        Index::Name(hash) => {
            let counties = counties(conn, region).await?;
            sqlx::query_as!(
                Kept,
                r#"
                SELECT household_id, household_number, region_code, lifted_from_poverty, support, data_key,
                       sealed_contact, merged_into, registered_on, moved_on, register_time, version
                FROM household
                WHERE merged_into IS NULL
                    AND household_id IN (
                        SELECT household_id
                        FROM member
                        WHERE county = ANY($5) AND name_index = $1 AND left_on IS NULL
                            AND region_code >= $2 AND region_code < $3
                    )
                ORDER BY household_id
                LIMIT $4
                "#,
                hash,
                from,
                until,
                FOUND,
                &counties,
            )
            .fetch_all(&mut *conn)
            .await?
        }
    };
    open(conn, keys, found).await
}

/// The counties that a region is in or contains, as in the index of names.
async fn counties(conn: &mut PgConnection, region: RegionCode) -> Result<Vec<i32>, Error> {
    if region.level() >= Level::County {
        return Ok(vec![i32::try_from(region.number() / COUNTY).unwrap_or_default()]);
    }
    let RegionRange { from, until } = region.range();
    let counties = sqlx::query_scalar!(
        r#"
        SELECT DISTINCT (region_code / 1000000)::integer AS "county!"
        FROM region
        -- Some cities have towns and no counties.
        WHERE level IN ('city', 'county') AND region_code >= $1 AND region_code < $2
        "#,
        from,
        until,
    )
    .fetch_all(conn)
    .await?;
    Ok(counties)
}
