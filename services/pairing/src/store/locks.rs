//! Locks on records that a change depends on, although the caller may not see all of them.

use sqlx::PgConnection;
use tongxin_platform::region::RegionCode;

use crate::domain::OrganisationId;

/// A large batch would fill Postgres' lock table with one lock per record, so records share locks; two that share one
/// merely wait for each other.
const ORGANISATION_LOCKS: i64 = 2048;
const REGION_LOCKS: i64 = 1024;

/// Classes of advisory locks.
const ORGANISATION: i32 = 1;
const REGION: i32 = 2;
const COVERAGE_RULES: i32 = 3;
const HOME: i32 = 4;

/// Locks organisations until the transaction ends. Taken before the locks of regions, and always in one order, which
/// avoids deadlocks.
pub async fn organisations(
    conn: &mut PgConnection,
    ids: impl IntoIterator<Item = OrganisationId>,
) -> Result<(), sqlx::Error> {
    let random_half = |id: OrganisationId| id.0.as_u64_pair().1.cast_signed();
    take(conn, ORGANISATION, ids.into_iter().map(|id| random_half(id).rem_euclid(ORGANISATION_LOCKS))).await
}

/// Locks what is registered in some regions by imports until the transaction ends. Taken before every other lock.
pub async fn homes(conn: &mut PgConnection, codes: impl IntoIterator<Item = RegionCode>) -> Result<(), sqlx::Error> {
    take(conn, HOME, codes.into_iter().map(|code| code.number() % REGION_LOCKS)).await
}

/// Locks the coverage of villages until the transaction ends, and the rules that it is counted by.
pub(super) async fn coverage(
    conn: &mut PgConnection,
    codes: impl IntoIterator<Item = RegionCode>,
) -> Result<(), sqlx::Error> {
    let keys = in_order(codes.into_iter().map(|code| code.number() % REGION_LOCKS));
    sqlx::query!(
        r#"
        SELECT pg_advisory_xact_lock_shared($1, 0), pg_advisory_xact_lock($2, key)
        FROM unnest($3::integer[]) AS key
        "#,
        COVERAGE_RULES,
        REGION,
        &keys,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks the coverage of every village until the transaction ends, exclusively.
pub(super) async fn coverage_rules(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1, 0)", COVERAGE_RULES).execute(conn).await?;
    Ok(())
}

async fn take(conn: &mut PgConnection, class: i32, keys: impl Iterator<Item = i64>) -> Result<(), sqlx::Error> {
    let keys = in_order(keys);
    sqlx::query!("SELECT pg_advisory_xact_lock($1, key) FROM unnest($2::integer[]) AS key", class, &keys)
        .execute(conn)
        .await?;
    Ok(())
}

fn in_order(keys: impl Iterator<Item = i64>) -> Vec<i32> {
    let mut keys: Vec<i32> = keys.filter_map(|key| i32::try_from(key).ok()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
