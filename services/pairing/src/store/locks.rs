//! Locks on things that the caller may not see all of, but that a change has to hold still.

use sqlx::PgConnection;
use tongxin_platform::region::RegionCode;

use crate::domain::OrganisationId;

/// A large batch would fill Postgres' table of locks if each thing had one of its own, so things
/// share locks; two that share one merely wait for each other.
const ORGANISATION_LOCKS: i64 = 2048;
const REGION_LOCKS: i64 = 1024;

/// Classes of advisory locks.
const ORGANISATION: i32 = 1;
const REGION: i32 = 2;

/// Holds organisations still until the transaction ends. Taken before those of regions, and in
/// one order by everybody, so that nobody waits in a circle.
pub async fn organisations(
    conn: &mut PgConnection,
    ids: impl IntoIterator<Item = OrganisationId>,
) -> Result<(), sqlx::Error> {
    let random_half = |id: OrganisationId| id.0.as_u64_pair().1.cast_signed();
    take(conn, ORGANISATION, ids.into_iter().map(|id| random_half(id).rem_euclid(ORGANISATION_LOCKS))).await
}

/// Holds the coverage of villages still until the transaction ends.
pub async fn regions(conn: &mut PgConnection, codes: impl IntoIterator<Item = RegionCode>) -> Result<(), sqlx::Error> {
    take(conn, REGION, codes.into_iter().map(|code| code.number() % REGION_LOCKS)).await
}

async fn take(conn: &mut PgConnection, class: i32, keys: impl Iterator<Item = i64>) -> Result<(), sqlx::Error> {
    let mut keys: Vec<i32> = keys.filter_map(|key| i32::try_from(key).ok()).collect();
    keys.sort_unstable();
    keys.dedup();
    sqlx::query!("SELECT pg_advisory_xact_lock($1, key) FROM unnest($2::integer[]) AS key", class, &keys)
        .execute(conn)
        .await?;
    Ok(())
}
