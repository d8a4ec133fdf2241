//! The coverage rules that the log's changes of coverage were counted by.

use sqlx::PgConnection;
use tongxin_platform::{log, region::RegionCode, request::Context};

use super::{published, region};
use crate::{
    domain::{book::CountChange, coverage::CoverageRules},
    error::Error,
};

/// Reads the rules; `None` before the first start. Nobody adds or ends pairings, or adopts rules, until the
/// transaction ends.
pub async fn lock(conn: &mut PgConnection) -> Result<Option<CoverageRules>, Error> {
    sqlx::query!("LOCK TABLE pairing, coverage_rules IN SHARE ROW EXCLUSIVE MODE").execute(&mut *conn).await?;
    let rules = sqlx::query_scalar!("SELECT rules FROM coverage_rules").fetch_optional(conn).await?;
    let read = |rules| serde_json::from_value(rules).map_err(|error| Error::Corrupt(error.to_string()));
    rules.map(read).transpose()
}

/// Every village that counts, or ever counted, as assisted.
pub async fn villages(conn: &mut PgConnection) -> Result<Vec<RegionCode>, Error> {
    let codes = sqlx::query_scalar!("SELECT DISTINCT region_code FROM assistance WHERE level = 'village'")
        .fetch_all(conn)
        .await?;
    codes.into_iter().map(region).collect()
}

/// Writes the rules first, and what they change second.
pub async fn save(
    conn: &mut PgConnection,
    context: &Context,
    rules: &CoverageRules,
    changes: &[CountChange],
) -> Result<(), Error> {
    let rules = serde_json::to_value(rules).map_err(|error| Error::Corrupt(error.to_string()))?;
    sqlx::query!("INSERT INTO coverage_rules (rules) VALUES ($1) ON CONFLICT (one) DO UPDATE SET rules = $1", rules)
        .execute(&mut *conn)
        .await?;
    log::append(conn, context, &published::coverage(changes)).await?;
    Ok(())
}
