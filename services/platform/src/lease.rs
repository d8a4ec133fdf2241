//! Lets one replica at a time do a job.
//!
//! A lease expires by itself, so a replica that was stopped, or lost its network, is replaced within [`TTL`]; an
//! advisory lock would last as long as its connection. A lease only saves double work: the job also locks the row that
//! it writes.

use std::time::{Duration, Instant};

use sqlx::{PgPool, postgres::types::PgInterval};
use uuid::Uuid;

/// How long a lease lasts without being renewed.
pub const TTL: Duration = Duration::from_secs(5);

/// A job's lease, held or not.
#[derive(Debug)]
pub struct Lease {
    pool: PgPool,
    name: String,
    owner: Uuid,
    renewed: Option<Instant>,
}

impl Lease {
    /// A lease that is not held yet.
    #[must_use]
    pub fn new(pool: PgPool, name: impl Into<String>) -> Self {
        Self { pool, name: name.into(), owner: Uuid::new_v4(), renewed: None }
    }

    /// Renews or takes the lease as needed, and returns whether it is held.
    ///
    /// # Errors
    /// If Postgres fails; the lease is then not held.
    pub async fn hold(&mut self) -> Result<bool, sqlx::Error> {
        if self.renewed.is_some_and(|renewed| renewed.elapsed() < TTL / 3) {
            return Ok(true);
        }
        self.renewed = None;
        let asked = Instant::now();
        let ttl = PgInterval::try_from(TTL).map_err(sqlx::Error::Encode)?;
        let taken = sqlx::query_scalar!(
            r#"
            INSERT INTO lease (name, owner, until_time)
            VALUES ($1, $2, clock_timestamp() + $3)
            ON CONFLICT (name) DO UPDATE
            SET owner = excluded.owner,
                until_time = excluded.until_time
            WHERE lease.owner = excluded.owner OR lease.until_time < clock_timestamp()
            RETURNING true AS "taken!"
            "#,
            self.name,
            self.owner,
            ttl,
        )
        .fetch_optional(&self.pool)
        .await?;
        self.renewed = taken.map(|_| asked);
        Ok(self.renewed.is_some())
    }

    /// Releases the lease, so that another replica need not wait for it to expire.
    pub async fn release(self) {
        let released = sqlx::query!("DELETE FROM lease WHERE name = $1 AND owner = $2", self.name, self.owner)
            .execute(&self.pool)
            .await;
        if let Err(error) = released {
            tracing::debug!(lease = self.name, %error, "a lease was left to run out");
        }
    }
}
