//! Connections, and transactions with a region scope.

mod column;
mod deadline;
mod migrate;
mod scope;

use std::{str::FromStr as _, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sqlx::{
    Executor as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::secret;

pub(crate) use deadline::wait_until;
pub use migrate::{Migrations, SchemaBehind};
pub use scope::{Scope, Transaction};

/// How to reach a service's database.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DbConfig {
    /// `postgres://` URL of the service's own database, logging in as a role that owns nothing.
    #[serde(serialize_with = "secret::url")]
    pub url: SecretString,
    /// Maximum number of connections.
    #[serde(default = "default_connections")]
    pub max_connections: u32,
    /// Seconds to wait for a free connection before a request is answered `UNAVAILABLE`.
    #[serde(default = "default_acquire_seconds")]
    pub acquire_seconds: u64,
    /// Seconds after which Postgres cancels a statement.
    #[serde(default = "default_statement_seconds")]
    pub statement_seconds: u64,
}

const fn default_connections() -> u32 {
    16
}

const fn default_acquire_seconds() -> u64 {
    5
}

const fn default_statement_seconds() -> u64 {
    30
}

impl DbConfig {
    /// The defaults with a URL.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: SecretString::from(url.into()),
            max_connections: default_connections(),
            acquire_seconds: default_acquire_seconds(),
            statement_seconds: default_statement_seconds(),
        }
    }
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Postgres returned an error or did not answer.
    #[error("the database failed")]
    Sqlx(#[from] sqlx::Error),

    /// The role would see every region and could change the log.
    #[error(
        "the database role {0:?} is a superuser, bypasses row-level security or owns the tables; \
         log in as a role that was granted tongxin_app"
    )]
    RoleTooStrong(String),
}

/// Connects a service to its database.
///
/// Every connection is rolled back when it returns to the pool: a future that was dropped while it began a transaction
/// would otherwise leave it open, and the next commit of another request would commit nothing.
///
/// # Errors
/// If Postgres cannot be reached, or the role is exempt from row-level security.
pub async fn connect(config: &DbConfig) -> Result<PgPool, DbError> {
    let pool = open(config).await?;
    refuse_strong_role(&pool).await?;
    Ok(pool)
}

/// Connects as the role in the URL; for migrations and tests.
///
/// # Errors
/// If Postgres cannot be reached or the URL is invalid.
pub async fn open(config: &DbConfig) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(config.url.expose_secret())?.application_name("tongxin").options([
        ("statement_timeout", format!("{}s", config.statement_seconds)),
        ("lock_timeout", "10s".to_owned()),
        ("idle_in_transaction_session_timeout", "10s".to_owned()),
        // Statements are planned once per connection: most cost more to plan than to run. So each has to run well
        // whatever its values, without `$1 IS NULL OR` in front of an index.
        ("plan_cache_mode", "force_generic_plan".to_owned()),
        // Plans are cached: one that was made for an empty table must not read all of a full one.
        ("random_page_cost", "1.1".to_owned()),
    ]);
    PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(Duration::from_secs(config.acquire_seconds))
        // A dead connection shows at the first statement; testing it first costs a round trip.
        .test_before_acquire(false)
        .after_release(|conn, _| {
            Box::pin(async move {
                // The BEGIN keeps Postgres from warning where no transaction is open.
                conn.execute("BEGIN; ROLLBACK").await?;
                Ok(true)
            })
        })
        .connect_with(options)
        .await
}

async fn refuse_strong_role(pool: &PgPool) -> Result<(), DbError> {
    let role = sqlx::query!(
        r#"
        SELECT rolname::text AS "name!",
               rolsuper OR rolbypassrls OR EXISTS (
                   SELECT FROM pg_class WHERE relname = 'event' AND pg_has_role(relowner, 'MEMBER')
               ) AS "too_strong!"
        FROM pg_roles
        WHERE rolname = current_user
        "#
    )
    .fetch_one(pool)
    .await?;
    if role.too_strong { Err(DbError::RoleTooStrong(role.name)) } else { Ok(()) }
}
