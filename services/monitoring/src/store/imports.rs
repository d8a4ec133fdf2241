//! How far imports have come.

use sqlx::PgConnection;
use tongxin_platform::request::Context;

use super::named;
use crate::{
    domain::{
        ImportId,
        import::{ImportKind, ImportRefused, Progress},
    },
    error::Error,
};

/// Rows that an answer names.
const NAMED: i64 = 1_000;

/// A row that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Number of the row in the import, from 1.
    pub row: i64,
    /// The reason.
    pub reason: String,
    /// The field that is wrong; may be empty.
    pub field: String,
    /// What is wrong, for people.
    pub message: String,
}

/// Begins an import, or goes on with one of the same caller and kind. Holds it until the transaction ends.
pub async fn lock(
    conn: &mut PgConnection,
    context: &Context,
    id: ImportId,
    kind: ImportKind,
) -> Result<Progress, Error> {
    sqlx::query!(
        r#"
        INSERT INTO import (import_id, actor, kind, rows_taken, accepted, refused, warned, update_time)
        VALUES ($1, $2, $3, 0, 0, 0, 0, $4)
        ON CONFLICT (import_id) DO NOTHING
        "#,
        id.0,
        context.actor,
        kind.name(),
        context.now,
    )
    .execute(&mut *conn)
    .await?;
    let row = sqlx::query!(
        "SELECT actor, kind, accepted, refused, warned FROM import WHERE import_id = $1 FOR UPDATE",
        id.0,
    )
    .fetch_one(conn)
    .await?;
    if row.actor != context.actor || named(ImportKind::by_name(&row.kind), &row.kind)? != kind {
        return Err(ImportRefused::Reused.into());
    }
    Ok(Progress { accepted: row.accepted, refused: row.refused, warned: row.warned })
}

/// How far a caller's import has come.
pub async fn find(conn: &mut PgConnection, actor: &str, id: ImportId) -> Result<Progress, Error> {
    let row =
        sqlx::query!("SELECT accepted, refused, warned FROM import WHERE import_id = $1 AND actor = $2", id.0, actor,)
            .fetch_optional(conn)
            .await?
            .ok_or(ImportRefused::NotFound)?;
    Ok(Progress { accepted: row.accepted, refused: row.refused, warned: row.warned })
}

/// Writes how far an import has come, and the rows that were refused.
pub async fn save(
    conn: &mut PgConnection,
    context: &Context,
    (id, progress): (ImportId, Progress),
    errors: &[RowError],
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE import
        SET rows_taken = $2,
            accepted = $3,
            refused = $4,
            warned = $5,
            update_time = $6
        WHERE import_id = $1
        "#,
        id.0,
        progress.rows_taken(),
        progress.accepted,
        progress.refused,
        progress.warned,
        context.now,
    )
    .execute(&mut *conn)
    .await?;
    if errors.is_empty() {
        return Ok(());
    }
    let rows: Vec<i64> = errors.iter().map(|error| error.row).collect();
    let reasons: Vec<&str> = errors.iter().map(|error| error.reason.as_str()).collect();
    let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
    let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    sqlx::query!(
        r#"
        INSERT INTO import_error (import_id, row_number, reason, field, message)
        SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[])
        "#,
        id.0,
        &rows,
        &reasons as &[&str],
        &fields as &[&str],
        &messages as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The first rows of an import that were refused.
pub async fn errors(conn: &mut PgConnection, id: ImportId) -> Result<Vec<RowError>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT row_number, reason, field, message
        FROM import_error
        WHERE import_id = $1
        ORDER BY row_number
        LIMIT $2
        "#,
        id.0,
        NAMED,
    )
    .fetch_all(conn)
    .await?;
    let error = |row: i64, reason, field, message| RowError { row, reason, field, message };
    Ok(rows.into_iter().map(|found| error(found.row_number, found.reason, found.field, found.message)).collect())
}
