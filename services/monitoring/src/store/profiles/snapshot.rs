//! One state that several readers see.

use sqlx::{PgConnection, PgPool};
use tongxin_platform::db::{Scope, Transaction};

use crate::error::Error;

/// Several transactions that read one state.
#[derive(Debug, Clone)]
pub struct Snapshot {
    scope: Scope,
    name: String,
}

/// Keeps the state that a transaction reads, for as long as that transaction lasts.
pub async fn snapshot(conn: &mut PgConnection, scope: Scope) -> Result<Snapshot, Error> {
    let name = sqlx::query_scalar!(r#"SELECT pg_export_snapshot() AS "name!""#).fetch_one(conn).await?;
    Ok(Snapshot { scope, name })
}

impl Snapshot {
    /// Begins one more transaction that reads this state, and may take its time.
    pub async fn read(&self, pool: &PgPool) -> Result<Transaction, Error> {
        let mut tx = self.scope.read(pool).await?;
        // Postgres names snapshots in digits and dashes.
        let statement = format!("SET TRANSACTION SNAPSHOT '{}'", self.name);
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut *tx).await?;
        take_time(&mut tx).await?;
        Ok(tx)
    }
}

/// Lets a transaction wait between rows for what is done with them.
pub async fn take_time(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!("SET LOCAL statement_timeout = '30min'").execute(&mut *conn).await?;
    sqlx::query!("SET LOCAL idle_in_transaction_session_timeout = '30min'").execute(conn).await?;
    Ok(())
}
