//! Recounts elderly members: nobody states birthdays.

use chrono::NaiveDate;
use sqlx::PgPool;
use tongxin_platform::{db::Scope, region::RegionCode};

use crate::{
    error::Error,
    store::{households, profiles},
};

/// Number of households in one transaction.
const PART: usize = 1_000;

/// Recounts in a region, as far as the scope sees it. It can be repeated, so it needs no idempotency key.
pub(super) async fn count_elderly(
    pool: &PgPool,
    scope: Scope,
    region: RegionCode,
    today: NaiveDate,
) -> Result<(), Error> {
    let mut conn = scope.read(pool).await?;
    let aged = profiles::aged(&mut conn, region, today).await?;
    conn.rollback().await?;
    for part in aged.chunks(PART) {
        let mut tx = scope.write_again(pool).await?;
        households::lock(&mut tx, part).await?;
        profiles::count_elderly(&mut tx, part, today).await?;
        tx.commit().await?;
    }
    Ok(())
}
