//! Migrations: platform's tables and the service's own, run by the owner.

use std::collections::HashSet;

use sqlx::{
    Executor as _, PgConnection,
    migrate::{Migrate as _, MigrateError, Migration, Migrator},
};

static PLATFORM: Migrator = sqlx::migrate!();

/// All migrations of a service's database.
#[derive(Debug)]
pub struct Migrations(Migrator);

/// Why a service does not start on a database: its schema lacks migrations, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SchemaBehind {
    /// Migrations have to run first.
    #[error("the schema lacks {0} migration(s): run `tongxin migrate` with the owner's URL first")]
    Behind(usize),
    /// Postgres answered with an error or not at all.
    #[error("reading the schema's version failed")]
    Failed(#[source] MigrateError),
}

impl Migrations {
    /// Platform's migrations and a service's. Their versions must differ: services number theirs from 1001.
    #[must_use]
    pub fn with_platform(service: &Migrator) -> Self {
        let all: Vec<Migration> = PLATFORM.iter().chain(service.iter()).cloned().collect();
        Self(Migrator::with_migrations(all))
    }

    /// The checksum of each migration, in order: what tells one schema from another.
    #[must_use]
    pub fn checksums(&self) -> Vec<Vec<u8>> {
        self.0.iter().map(|migration| migration.checksum.to_vec()).collect()
    }

    /// Runs the pending migrations and returns how many there were.
    ///
    /// # Errors
    /// If a migration fails, or one that ran earlier has changed since.
    pub async fn run(&self, conn: &mut PgConnection) -> Result<usize, MigrateError> {
        let before = self.missing(conn).await?;
        self.0.run_direct(None, conn, false).await?;
        // Services check with it whether their schema is behind.
        conn.execute("GRANT SELECT ON _sqlx_migrations TO tongxin_app").await?;
        Ok(before)
    }

    /// Checks that the schema is up to date, without changing it.
    ///
    /// # Errors
    /// [`SchemaBehind`] if it is not, or cannot be read.
    pub async fn check(&self, conn: &mut PgConnection) -> Result<(), SchemaBehind> {
        match self.missing(conn).await {
            Ok(0) => Ok(()),
            Ok(missing) => Err(SchemaBehind::Behind(missing)),
            Err(error) => Err(SchemaBehind::Failed(error)),
        }
    }

    async fn missing(&self, conn: &mut PgConnection) -> Result<usize, MigrateError> {
        let exists = sqlx::query_scalar!(r#"SELECT to_regclass('public._sqlx_migrations') IS NOT NULL AS "exists!""#)
            .fetch_one(&mut *conn)
            .await?;
        if !exists {
            return Ok(self.0.iter().count());
        }
        let applied = conn.list_applied_migrations(&self.0.table_name).await?;
        let applied: HashSet<i64> = applied.iter().map(|migration| migration.version).collect();
        Ok(self.0.iter().filter(|migration| !applied.contains(&migration.version)).count())
    }
}
