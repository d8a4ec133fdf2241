//! Creates and migrates the databases as their owner role; services log in as another role.

use anyhow::{Context as _, Result};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tongxin_platform::service::Kind;
use tongxin_servers::Postgres;

use crate::{lang::told, services::KINDS};

/// The role of services, created by the first migration.
const APP: &str = "tongxin_app";

/// Creates and migrates the databases of all services.
pub async fn prepare(postgres: &Postgres) -> Result<()> {
    let mut conn = PgConnection::connect(&postgres.url("postgres"))
        .await
        .with_context(|| told!("Postgres cannot be reached", "连接不上 Postgres"))?;
    for kind in KINDS {
        create(&mut conn, &name(kind)).await?;
    }
    conn.close().await?;
    for kind in KINDS {
        let mut conn = PgConnection::connect(&postgres.url(&name(kind))).await?;
        let ran = kind.migrations().run(&mut conn).await;
        ran.with_context(|| told!("migrating {} failed", "更新 {} 的数据库结构失败", kind.name))?;
        conn.close().await?;
    }
    Ok(())
}

/// For the role that owns the tables.
pub fn owner_url(postgres: &Postgres, kind: &Kind) -> String {
    postgres.url(&name(kind))
}

/// For the role of services.
pub fn app_url(postgres: &Postgres, kind: &Kind) -> String {
    postgres.url_as(APP, &name(kind))
}

fn name(kind: &Kind) -> String {
    format!("tongxin_{}", kind.name)
}

async fn create(conn: &mut PgConnection, name: &str) -> Result<()> {
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(&mut *conn)
        .await?;
    if !exists {
        // Our own names, which need no quoting.
        conn.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
    }
    Ok(())
}
