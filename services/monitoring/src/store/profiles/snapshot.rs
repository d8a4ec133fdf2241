//! A snapshot that several readers share.

use sqlx::{PgConnection, PgPool};
use tongxin_platform::db::{Scope, Transaction};

use crate::error::Error;

/// Transactions on one snapshot.
#[derive(Debug, Clone)]
pub struct Snapshot {
    scope: Scope,
    name: String,
}

/// Exports the snapshot of a transaction, which stays valid for as long as that transaction lasts.
pub async fn snapshot(conn: &mut PgConnection, scope: Scope) -> Result<Snapshot, Error> {
    let name = sqlx::query_scalar!(r#"SELECT pg_export_snapshot() AS "name!""#).fetch_one(conn).await?;
    Ok(Snapshot { scope, name })
}

impl Snapshot {
    /// Begins another transaction on this snapshot, with long timeouts.
    pub async fn read(&self, pool: &PgPool) -> Result<Transaction, Error> {
        let mut tx = self.scope.read(pool).await?;
        // Names of snapshots consist of digits and dashes.
        let statement = format!("SET TRANSACTION SNAPSHOT '{}'", self.name);
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut *tx).await?;
        take_time(&mut tx).await?;
        Ok(tx)
    }
}

/// Lets a transaction run, and be idle while its rows are processed, for half an hour.
pub async fn take_time(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!("SET LOCAL statement_timeout = '30min'").execute(&mut *conn).await?;
    sqlx::query!("SET LOCAL idle_in_transaction_session_timeout = '30min'").execute(conn).await?;
    Ok(())
}
