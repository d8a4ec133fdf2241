//! Storage for the progress of imports.

use sqlx::PgConnection;
use tongxin_proto::batch::v1::{ImportStatus, RowError};

use super::{
    ImportId,
    progress::{ImportRefused, Progress},
};
use crate::{
    error::{Error, ServiceRefusal},
    request::Context,
};

/// Maximum number of refused rows in a response.
const NAMED: i64 = 1_000;

/// Begins an import, or continues one of the same caller and kind. Locks it until the transaction ends.
pub(super) async fn lock<R: ServiceRefusal>(
    conn: &mut PgConnection,
    context: &Context,
    id: ImportId,
    kind: &str,
) -> Result<Progress, Error<R>> {
    sqlx::query!(
        r#"
        INSERT INTO import (import_id, actor, kind, rows_taken, accepted, refused, warned, update_time)
        VALUES ($1, $2, $3, 0, 0, 0, 0, $4)
        ON CONFLICT (import_id) DO NOTHING
        "#,
        id.0,
        context.actor,
        kind,
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
    if row.actor != context.actor || row.kind != kind {
        return Err(ImportRefused::Reused.into());
    }
    Ok(Progress { accepted: row.accepted, refused: row.refused, warned: row.warned })
}

/// Stores the progress of an import and its refused rows.
pub(super) async fn save(
    conn: &mut PgConnection,
    context: &Context,
    (id, progress): (ImportId, Progress),
    errors: &[RowError],
) -> Result<(), sqlx::Error> {
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

/// The progress of a caller's import, and its first refused rows.
///
/// # Errors
/// [`ImportRefused::NotFound`], and faults of the database.
pub async fn status<R: ServiceRefusal>(
    conn: &mut PgConnection,
    actor: &str,
    id: ImportId,
) -> Result<ImportStatus, Error<R>> {
    let row =
        sqlx::query!("SELECT accepted, refused, warned FROM import WHERE import_id = $1 AND actor = $2", id.0, actor)
            .fetch_optional(&mut *conn)
            .await?
            .ok_or(ImportRefused::NotFound)?;
    let progress = Progress { accepted: row.accepted, refused: row.refused, warned: row.warned };
    Ok(progress.status(id, errors(conn, id).await?))
}

async fn errors(conn: &mut PgConnection, id: ImportId) -> Result<Vec<RowError>, sqlx::Error> {
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
    Ok(rows.into_iter().map(|row| RowError::new(row.row_number, &row.reason, &row.field, &row.message)).collect())
}
