//! Locks on things that the caller may not see all of, but that a change has to hold still.

use sqlx::PgConnection;
use tongxin_platform::region::RegionCode;

use crate::domain::OrganisationId;

/// Holds organisations still until the transaction ends. Taken before those of regions, and in
/// one order by everybody, so that nobody waits in a circle.
pub async fn organisations(
    conn: &mut PgConnection,
    ids: impl IntoIterator<Item = OrganisationId>,
) -> Result<(), sqlx::Error> {
    // Two that share half an identifier merely wait for each other.
    take(conn, ids.into_iter().map(|id| id.0.as_u64_pair().1.cast_signed()).collect()).await
}

/// Holds the coverage of villages still until the transaction ends.
pub async fn regions(conn: &mut PgConnection, codes: impl IntoIterator<Item = RegionCode>) -> Result<(), sqlx::Error> {
    take(conn, codes.into_iter().map(RegionCode::number).collect()).await
}

async fn take(conn: &mut PgConnection, mut keys: Vec<i64>) -> Result<(), sqlx::Error> {
    keys.sort_unstable();
    keys.dedup();
    sqlx::query!("SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS key", &keys).execute(conn).await?;
    Ok(())
}
