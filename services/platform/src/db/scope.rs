//! Transactions with a region scope.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor as _, PgConnection, PgPool, Postgres};

use super::deadline;
use crate::region::{RegionCode, RegionRange};

/// A transaction whose region scope is set.
pub type Transaction = sqlx::Transaction<'static, Postgres>;

/// The range of regions that a transaction may see and write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope(RegionRange);

impl Scope {
    /// Rows of every region: for relay, consumers and other work without a caller.
    pub const EVERYWHERE: Self = Self(RegionRange::EVERYWHERE);

    /// Rows of one region and of the regions in it.
    #[must_use]
    pub fn region(region: RegionCode) -> Self {
        Self(region.range())
    }

    /// Rows of a range of regions.
    #[must_use]
    pub const fn range(range: RegionRange) -> Self {
        Self(range)
    }

    /// Begins a read-only transaction on one snapshot. Under a deadline, its statements end soon after it.
    ///
    /// # Errors
    /// If Postgres fails or no connection becomes free.
    pub async fn read(self, pool: &PgPool) -> Result<Transaction, sqlx::Error> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        match deadline::left().filter(|left| *left < statement_limit(pool)) {
            Some(left) => {
                let begin = format!("{BEGIN}; SET LOCAL statement_timeout = {}", left.as_millis());
                self.begin(pool, &begin).await
            }
            None => self.begin(pool, BEGIN).await,
        }
    }

    /// Begins a transaction that writes. Must run in a task that is not cancelled.
    ///
    /// # Errors
    /// If Postgres fails or no connection becomes free.
    pub async fn write(self, pool: &PgPool) -> Result<Transaction, sqlx::Error> {
        self.begin(pool, "BEGIN").await
    }

    /// Begins a transaction whose writes can be repeated: its commit does not wait for the disk. A later commit that
    /// waits makes it durable, too.
    ///
    /// # Errors
    /// If Postgres fails or no connection becomes free.
    pub async fn write_again(self, pool: &PgPool) -> Result<Transaction, sqlx::Error> {
        self.begin(pool, "BEGIN; SET LOCAL synchronous_commit = off").await
    }

    /// Changes the scope of a transaction from here on, for example to count rows that the caller may not see but a
    /// figure has to include.
    ///
    /// # Errors
    /// If Postgres fails.
    pub async fn set(self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        let RegionRange { from, until } = self.0;
        let statements = format!("SET LOCAL tongxin.region_from = {from}; SET LOCAL tongxin.region_until = {until}");
        conn.execute(AssertSqlSafe(statements)).await?;
        Ok(())
    }

    /// Begins and sets the region in one round trip; numbers need no quoting.
    async fn begin(self, pool: &PgPool, begin: &str) -> Result<Transaction, sqlx::Error> {
        let RegionRange { from, until } = self.0;
        let statements =
            format!("{begin}; SET LOCAL tongxin.region_from = {from}; SET LOCAL tongxin.region_until = {until}");
        pool.begin_with(AssertSqlSafe(statements)).await
    }
}

/// The `statement_timeout` of a pool's connections; `Duration::MAX` without one.
fn statement_limit(pool: &PgPool) -> Duration {
    let options = pool.connect_options();
    let seconds = options.get_options().and_then(|options| {
        let (_, limit) = options.split_once("statement_timeout=")?;
        limit.split('s').next()?.parse().ok()
    });
    seconds.filter(|seconds| *seconds > 0).map_or(Duration::MAX, Duration::from_secs)
}
