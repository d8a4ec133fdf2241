//! Transactions that see one range of regions.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor as _, PgConnection, PgPool, Postgres};

use super::deadline;
use crate::region::{RegionCode, RegionRange};

/// A transaction whose region is set.
pub type Transaction = sqlx::Transaction<'static, Postgres>;

/// Which rows a transaction may see and write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope(RegionRange);

impl Scope {
    /// Rows of every region: for the relay, consumers and the like, which serve no caller.
    pub const EVERYWHERE: Self = Self(RegionRange::EVERYWHERE);

    /// Rows of one region and of those in it.
    #[must_use]
    pub fn region(region: RegionCode) -> Self {
        Self(region.range())
    }

    /// Rows of some regions that follow each other.
    #[must_use]
    pub const fn range(range: RegionRange) -> Self {
        Self(range)
    }

    /// Begins a transaction that reads one consistent state. For a caller who waits until a moment, its statements
    /// end soon after that.
    ///
    /// # Errors
    /// When Postgres fails or no connection becomes free.
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

    /// Begins a transaction that writes. To be called from a task that nobody cancels.
    ///
    /// # Errors
    /// When Postgres fails or no connection becomes free.
    pub async fn write(self, pool: &PgPool) -> Result<Transaction, sqlx::Error> {
        self.begin(pool, "BEGIN").await
    }

    /// Begins a transaction that writes what can be written again: its commit does not wait for the
    /// disk. Whatever is committed later with waiting takes it along.
    ///
    /// # Errors
    /// When Postgres fails or no connection becomes free.
    pub async fn write_again(self, pool: &PgPool) -> Result<Transaction, sqlx::Error> {
        self.begin(pool, "BEGIN; SET LOCAL synchronous_commit = off").await
    }

    /// Changes what a transaction sees from here on, for example to count what the caller may not
    /// see but what a figure has to include.
    ///
    /// # Errors
    /// When Postgres fails.
    pub async fn set(self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        let RegionRange { from, until } = self.0;
        let statements = format!("SET LOCAL tongxin.region_from = {from}; SET LOCAL tongxin.region_until = {until}");
        conn.execute(AssertSqlSafe(statements)).await?;
        Ok(())
    }

    /// One round trip for the beginning and its region; numbers need no quoting.
    async fn begin(self, pool: &PgPool, begin: &str) -> Result<Transaction, sqlx::Error> {
        let RegionRange { from, until } = self.0;
        let statements =
            format!("{begin}; SET LOCAL tongxin.region_from = {from}; SET LOCAL tongxin.region_until = {until}");
        pool.begin_with(AssertSqlSafe(statements)).await
    }
}

/// What a pool's connections were opened with; no limit if with none.
fn statement_limit(pool: &PgPool) -> Duration {
    let options = pool.connect_options();
    let seconds = options.get_options().and_then(|options| {
        let (_, limit) = options.split_once("statement_timeout=")?;
        limit.split('s').next()?.parse().ok()
    });
    seconds.filter(|seconds| *seconds > 0).map_or(Duration::MAX, Duration::from_secs)
}
