//! Dated rule sets of regions: stored as stated, compiled when they are read.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgConnection, types::Json};
use tongxin_platform::{log, region::RegionCode, request::Context};
use uuid::Uuid;

use super::published;
use crate::{
    domain::{
        RuleSetId,
        rule_set::{RuleSet, RuleSetDraft},
        screening::RuleBook,
    },
    error::{Error, Refused},
};

/// The lock for storing a rule set.
const STORING: i64 = 0x7275_6c65_5f73_6574;

/// Maximum number of rule sets in a list.
const MOST_LISTED: i64 = 200;

/// Compiled rule sets by their identifiers, which are unique across databases: a stored rule set never changes.
static COMPILED: LazyLock<Mutex<HashMap<RuleSetId, RuleSet>>> = LazyLock::new(Mutex::default);

/// Maximum number of cached rule sets; far more than are ever in force.
const MOST_COMPILED: usize = 1_000;

/// Stores a rule set, and appends an event.
pub async fn insert(conn: &mut PgConnection, context: &Context, rule_set: &RuleSet) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO rule_set (rule_set_id, region_code, effective_from, effective_until, stated, actor, record_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        "#,
        rule_set.id.0,
        rule_set.region.number(),
        rule_set.effective_from,
        rule_set.effective_until,
        Json::<&RuleSetDraft>(rule_set) as _,
        context.actor,
        rule_set.record_time,
    )
    .execute(&mut *conn)
    .await?;
    Ok(log::append(conn, context, &[published::rules::stored(rule_set)]).await?)
}

/// Keeps others from storing a rule set until the transaction ends.
pub async fn lock(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", STORING).execute(conn).await?;
    Ok(())
}

/// First day of the newest rule set that was in force in a region by a day, whether the region's or an ancestor's.
pub async fn newest_in_force(
    conn: &mut PgConnection,
    region: RegionCode,
    day: NaiveDate,
) -> Result<Option<NaiveDate>, Error> {
    let line: Vec<i64> = region.with_ancestors().map(RegionCode::number).collect();
    let newest = sqlx::query_scalar!(
        "SELECT max(effective_from) FROM rule_set WHERE region_code = ANY($1) AND effective_from <= $2",
        &line,
        day,
    )
    .fetch_one(conn)
    .await?;
    Ok(newest)
}

/// The rule set with an identifier, in any region.
pub async fn find(conn: &mut PgConnection, id: RuleSetId) -> Result<RuleSet, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT rule_set_id, stated::text AS "stated!", record_time
        FROM rule_set
        WHERE rule_set_id = $1
        "#,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    compiled(&row.ok_or(Refused::RuleSetNotFound(id))?)
}

/// The rule set in force in a region on a day: that of the nearest region, and of these the newest.
pub async fn in_force(conn: &mut PgConnection, region: RegionCode, day: NaiveDate) -> Result<Option<RuleSet>, Error> {
    let line: Vec<i64> = region.with_ancestors().map(RegionCode::number).collect();
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT rule_set_id, stated::text AS "stated!", record_time
        FROM rule_set
        WHERE region_code = ANY($1)
            AND effective_from <= $2
            AND (effective_until IS NULL OR effective_until > $2)
        ORDER BY array_position($1, region_code) DESC, effective_from DESC, record_time DESC
        LIMIT 1
        "#,
        &line,
        day,
    )
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(compiled).transpose()
}

/// All rule sets in force on a day somewhere in a region, or above it.
pub async fn book(conn: &mut PgConnection, region: RegionCode, day: NaiveDate) -> Result<RuleBook, Error> {
    let line: Vec<i64> = region.with_ancestors().map(RegionCode::number).collect();
    let range = region.range();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT rule_set_id, stated::text AS "stated!", record_time
        FROM rule_set
        WHERE (region_code = ANY($1) OR (region_code >= $2 AND region_code < $3))
            AND effective_from <= $4
            AND (effective_until IS NULL OR effective_until > $4)
        "#,
        &line,
        range.from,
        range.until,
        day,
    )
    .fetch_all(conn)
    .await?;
    let rule_sets: Vec<RuleSet> = rows.iter().map(compiled).collect::<Result<_, _>>()?;
    Ok(RuleBook::new(rule_sets, day))
}

/// All past, current and future rule sets of a region, its ancestors and the regions in it, newest first.
pub async fn list(conn: &mut PgConnection, region: RegionCode) -> Result<Vec<RuleSet>, Error> {
    let line: Vec<i64> = region.with_ancestors().map(RegionCode::number).collect();
    let range = region.range();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT rule_set_id, stated::text AS "stated!", record_time
        FROM rule_set
        WHERE region_code = ANY($1) OR (region_code >= $2 AND region_code < $3)
        ORDER BY effective_from DESC, record_time DESC, rule_set_id
        LIMIT $4
        "#,
        &line,
        range.from,
        range.until,
        MOST_LISTED,
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(compiled).collect()
}

struct Row {
    rule_set_id: Uuid,
    /// Read only if it is not in the cache.
    stated: String,
    record_time: DateTime<Utc>,
}

fn compiled(row: &Row) -> Result<RuleSet, Error> {
    let id = RuleSetId(row.rule_set_id);
    if let Some(known) = COMPILED.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
        return Ok(known.clone());
    }
    let corrupt = |error: &dyn std::fmt::Display| Error::Corrupt(format!("a rule set that {id} is not: {error}"));
    let stated: RuleSetDraft = serde_json::from_str(&row.stated).map_err(|error| corrupt(&error))?;
    let rule_set = RuleSet::compile(id, stated, row.record_time).map_err(|error| corrupt(&error))?;
    let mut known = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= MOST_COMPILED {
        known.clear();
    }
    known.insert(id, rule_set.clone());
    Ok(rule_set)
}
