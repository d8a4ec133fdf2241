//! Facts, stored together with their roll-ups.

use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::rollups;
use crate::domain::fact::Fact;

/// Stores facts and adds them to the roll-ups, within the transaction of `conn`.
///
/// # Errors
/// When Postgres fails, or the facts of an event exist already.
pub async fn record(conn: &mut PgConnection, facts: &[Fact]) -> Result<(), sqlx::Error> {
    if facts.is_empty() {
        return Ok(());
    }
    insert(conn, facts).await?;
    rollups::add(conn, facts).await
}

async fn insert(conn: &mut PgConnection, facts: &[Fact]) -> Result<(), sqlx::Error> {
    let sources: Vec<&str> = facts.iter().map(|fact| fact.source).collect();
    let epochs: Vec<i64> = facts.iter().map(|fact| fact.epoch).collect();
    let seqs: Vec<i64> = facts.iter().map(|fact| fact.seq).collect();
    let positions: Vec<i32> = facts.iter().map(|fact| fact.position).collect();
    let event_ids: Vec<Uuid> = facts.iter().map(|fact| fact.event_id).collect();
    let indicators: Vec<&str> = facts.iter().map(|fact| fact.indicator.id).collect();
    let regions: Vec<i64> = facts.iter().map(|fact| fact.region.number()).collect();
    let days: Vec<NaiveDate> = facts.iter().map(|fact| fact.occurred_on).collect();
    let amounts: Vec<i64> = facts.iter().map(|fact| fact.amount).collect();
    let subjects: Vec<&str> = facts.iter().map(|fact| fact.subject.as_str()).collect();
    sqlx::query!(
        r#"
        INSERT INTO fact
            (source, epoch, seq, position, event_id, indicator, region_code, occurred_on, amount, subject)
        SELECT unnest($1::text[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::integer[]),
               unnest($5::uuid[]), unnest($6::text[]), unnest($7::bigint[]), unnest($8::date[]),
               unnest($9::bigint[]), unnest($10::text[])
        "#,
        &sources as &[&str],
        &epochs,
        &seqs,
        &positions,
        &event_ids,
        &indicators as &[&str],
        &regions,
        &days,
        &amounts,
        &subjects as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes the facts of a source and recomputes the roll-ups.
///
/// # Errors
/// When Postgres fails.
pub async fn forget(conn: &mut PgConnection, source: &str) -> Result<(), sqlx::Error> {
    let indicators = sqlx::query_scalar!("SELECT DISTINCT indicator FROM fact WHERE source = $1", source)
        .fetch_all(&mut *conn)
        .await?;
    sqlx::query!("DELETE FROM fact WHERE source = $1", source).execute(&mut *conn).await?;
    rollups::rebuild_of(conn, &indicators).await
}
