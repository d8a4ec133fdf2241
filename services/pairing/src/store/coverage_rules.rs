//! The coverage rules that the log's changes of coverage were counted by.

use sqlx::PgConnection;
use tongxin_platform::{log, region::RegionCode, request::Context};

use super::{locks, published};
use crate::{
    domain::{book::CountChange, coverage::CoverageRules},
    error::{Error, Refused},
};

/// Reads the rules; `None` before the first start. Nobody counts coverage, or adopts rules, until the transaction
/// ends.
pub async fn lock(conn: &mut PgConnection) -> Result<Option<CoverageRules>, Error> {
    locks::coverage_rules(conn).await?;
    read(conn).await
}

/// Makes sure that coverage is counted by the rules that were adopted last.
///
/// # Errors
/// [`Refused::CoverageRulesOutdated`] when it is not.
pub async fn ensure(conn: &mut PgConnection, rules: &CoverageRules) -> Result<(), Error> {
    if read(conn).await?.as_ref() == Some(rules) { Ok(()) } else { Err(Refused::CoverageRulesOutdated.into()) }
}

async fn read(conn: &mut PgConnection) -> Result<Option<CoverageRules>, Error> {
    let rules = sqlx::query_scalar!("SELECT rules FROM coverage_rules").fetch_optional(conn).await?;
    let read = |rules| serde_json::from_value(rules).map_err(|error| Error::Corrupt(error.to_string()));
    rules.map(read).transpose()
}

/// Every village that counts, or ever counted, as assisted.
pub async fn villages(conn: &mut PgConnection) -> Result<Vec<RegionCode>, Error> {
    let codes = sqlx::query_scalar!("SELECT DISTINCT region_code FROM assistance WHERE level = 'village'")
        .fetch_all(conn)
        .await?;
    Ok(codes)
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
