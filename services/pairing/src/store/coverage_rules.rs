//! The coverage rules by which the published changes of coverage were counted.

use sqlx::PgConnection;
use tongxin_platform::{log, region::RegionCode, request::Context};

use super::{locks, published};
use crate::{
    domain::{book::CountChange, coverage::CoverageRules},
    error::{Error, Refused},
};

/// Reads the rules; `None` before the first start. No other transaction counts coverage or adopts rules until this one
/// ends.
pub async fn lock(conn: &mut PgConnection) -> Result<Option<CoverageRules>, Error> {
    locks::coverage_rules(conn).await?;
    read(conn).await
}

/// Locks the coverage of villages until the transaction ends, and makes sure that it is counted by the rules that were
/// adopted: counts by others would be wrong in the log for ever.
///
/// # Errors
/// [`Refused::CoverageRulesOutdated`] if another replica has adopted other rules.
pub async fn lock_coverage(
    conn: &mut PgConnection,
    codes: impl IntoIterator<Item = RegionCode>,
    rules: &CoverageRules,
) -> Result<(), Error> {
    locks::coverage(conn, codes).await?;
    ensure(conn, rules).await
}

/// Checks that coverage is counted by the rules that were adopted last.
///
/// # Errors
/// [`Refused::CoverageRulesOutdated`] if it is not.
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

/// Writes the rules first, and the resulting events second.
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
