//! COPY of what the service wrote, into tables without it: the same widths in the same order.

use std::time::Instant;

use futures::StreamExt as _;
use sqlx::{PgConnection, PgPool};

use crate::rounds::ratio;

/// Rows that are copied.
const COPIED: usize = 100_000;

/// Rows a second into tables with the same columns, constraints and indexes, the last of them counted; each of the
/// others has the rows of the same households.
pub async fn copy(pool: &PgPool, tables: &[&str]) -> anyhow::Result<f64> {
    let mut conn = pool.acquire().await?;
    let first = format!("SELECT household_id FROM household ORDER BY household_id LIMIT {COPIED}");
    let mut copies = Vec::new();
    for table in tables {
        let sql = format!("DROP TABLE IF EXISTS bare_{table}; CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *conn).await?;
        let columns = columns(&mut conn, table).await?;
        let query = format!("SELECT {columns} FROM {table} WHERE household_id IN ({first}) ORDER BY household_id");
        copies.push((format!("COPY bare_{table} ({columns}) FROM STDIN"), copied_out(&mut conn, &query).await?));
    }
    let counted = copies.last().map_or(0, |(_, rows)| String::from_utf8_lossy(rows).lines().count());
    let began = Instant::now();
    for (statement, rows) in &copies {
        let mut copy = conn.copy_in_raw(statement).await?;
        copy.send(rows.as_slice()).await?;
        copy.finish().await?;
    }
    Ok(ratio(counted, began.elapsed()))
}

/// The columns of a table that are written.
async fn columns(conn: &mut PgConnection, table: &str) -> anyhow::Result<String> {
    let columns = sqlx::query_scalar(
        "SELECT string_agg(column_name, ', ' ORDER BY ordinal_position)
         FROM information_schema.columns
         WHERE table_name = $1 AND is_generated = 'NEVER'",
    );
    Ok(columns.bind(table).fetch_one(conn).await?)
}

async fn copied_out(conn: &mut PgConnection, query: &str) -> anyhow::Result<Vec<u8>> {
    let mut rows = conn.copy_out_raw(&format!("COPY ({query}) TO STDOUT")).await?;
    let mut bytes = Vec::new();
    while let Some(part) = rows.next().await {
        bytes.extend_from_slice(&part?);
    }
    Ok(bytes)
}
