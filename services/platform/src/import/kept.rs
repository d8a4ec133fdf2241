//! Storage for the progress of imports.

use std::{collections::BTreeSet, ops::Range};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tongxin_proto::batch::v1::{ImportStatus, RowError, RowWarning, RuleWarning};

use super::{
    ImportId,
    progress::{ImportRefused, Progress},
};
use crate::{
    clock::timestamp,
    error::{Error, ServiceRefusal},
    request::Context,
};

/// Maximum number of refused rows, and of rows with warnings, in a response.
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
        INSERT INTO import
            (import_id, actor, kind, rows_taken, accepted, refused, warned, unchanged, corrected, update_time)
        VALUES ($1, $2, $3, 0, 0, 0, 0, 0, 0, $4)
        ON CONFLICT (import_id, actor) DO NOTHING
        "#,
        id.0,
        context.actor,
        kind,
        context.now,
    )
    .execute(&mut *conn)
    .await?;
    let row = sqlx::query!(
        r#"
        SELECT kind, accepted, refused, warned, unchanged, corrected
        FROM import
        WHERE import_id = $1 AND actor = $2
        FOR UPDATE
        "#,
        id.0,
        context.actor,
    )
    .fetch_one(conn)
    .await?;
    if row.kind != kind {
        return Err(ImportRefused::Reused.into());
    }
    Ok(Progress {
        accepted: row.accepted,
        refused: row.refused,
        warned: row.warned,
        unchanged: row.unchanged,
        corrected: row.corrected,
    })
}

/// The rows within a range that stand refused.
pub(super) async fn refused(
    conn: &mut PgConnection,
    context: &Context,
    id: ImportId,
    rows: Range<i64>,
) -> Result<BTreeSet<i64>, sqlx::Error> {
    let refused = sqlx::query_scalar!(
        r#"
        SELECT row_number
        FROM import_error
        WHERE import_id = $1 AND actor = $2 AND row_number >= $3 AND row_number < $4
        "#,
        id.0,
        context.actor,
        rows.start,
        rows.end,
    )
    .fetch_all(conn)
    .await?;
    Ok(refused.into_iter().collect())
}

/// What became of the rows of a message.
#[derive(Debug, Default)]
pub(super) struct Decided {
    /// Rows that are refused.
    pub errors: Vec<RowError>,
    /// Rows that are accepted with a data-quality warning.
    pub warnings: Vec<RowWarning>,
    /// Rows that are accepted and stood refused.
    pub redeemed: Vec<i64>,
}

/// Stores the progress of an import, and what became of some rows.
pub(super) async fn save(
    conn: &mut PgConnection,
    context: &Context,
    (id, progress): (ImportId, Progress),
    decided: &Decided,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE import
        SET rows_taken = $3,
            accepted = $4,
            refused = $5,
            warned = $6,
            unchanged = $7,
            corrected = $8,
            update_time = $9
        WHERE import_id = $1 AND actor = $2
        "#,
        id.0,
        context.actor,
        progress.rows_taken(),
        progress.accepted,
        progress.refused,
        progress.warned,
        progress.unchanged,
        progress.corrected,
        context.now,
    )
    .execute(&mut *conn)
    .await?;
    save_errors(conn, context, id, &decided.errors).await?;
    save_warnings(conn, context, id, &decided.warnings).await?;
    if decided.redeemed.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "DELETE FROM import_error WHERE import_id = $1 AND actor = $2 AND row_number = ANY($3)",
        id.0,
        context.actor,
        &decided.redeemed,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn save_errors(
    conn: &mut PgConnection,
    context: &Context,
    id: ImportId,
    errors: &[RowError],
) -> Result<(), sqlx::Error> {
    if errors.is_empty() {
        return Ok(());
    }
    let rows: Vec<i64> = errors.iter().map(|error| error.row).collect();
    let reasons: Vec<&str> = errors.iter().map(|error| error.reason.as_str()).collect();
    let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
    let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    sqlx::query!(
        r#"
        INSERT INTO import_error (import_id, actor, row_number, reason, field, message, refused_time)
        SELECT $1, $2, row_number, reason, field, message, $3
        FROM unnest($4::bigint[], $5::text[], $6::text[], $7::text[]) AS refused (row_number, reason, field, message)
        ON CONFLICT (import_id, actor, row_number) DO UPDATE
        SET reason = excluded.reason,
            field = excluded.field,
            message = excluded.message,
            refused_time = excluded.refused_time
        "#,
        id.0,
        context.actor,
        context.now,
        &rows,
        &reasons as &[&str],
        &fields as &[&str],
        &messages as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn save_warnings(
    conn: &mut PgConnection,
    context: &Context,
    id: ImportId,
    warnings: &[RowWarning],
) -> Result<(), sqlx::Error> {
    if warnings.is_empty() {
        return Ok(());
    }
    let each = || warnings.iter().flat_map(|warning| warning.rules.iter().map(|rule| (warning.row, rule)));
    let rows: Vec<i64> = each().map(|(row, _)| row).collect();
    let rules: Vec<i32> = each().map(|(_, warning)| warning.rule).collect();
    let fields: Vec<&str> = each().map(|(_, warning)| warning.field.as_str()).collect();
    sqlx::query!(
        r#"
        INSERT INTO import_warning (import_id, actor, row_number, rule, field)
        SELECT $1, $2, row_number, rule, field
        FROM unnest($3::bigint[], $4::integer[], $5::text[]) AS warned (row_number, rule, field)
        "#,
        id.0,
        context.actor,
        &rows,
        &rules,
        &fields as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The progress of a caller's import, its first refused rows, and its first rows with warnings.
///
/// # Errors
/// [`ImportRefused::NotFound`], and faults of the database.
pub async fn status<R: ServiceRefusal>(
    conn: &mut PgConnection,
    actor: &str,
    id: ImportId,
) -> Result<ImportStatus, Error<R>> {
    let row = sqlx::query!(
        "SELECT accepted, refused, warned, unchanged, corrected FROM import WHERE import_id = $1 AND actor = $2",
        id.0,
        actor,
    )
    .fetch_optional(&mut *conn)
    .await?
    .ok_or(ImportRefused::NotFound)?;
    let progress = Progress {
        accepted: row.accepted,
        refused: row.refused,
        warned: row.warned,
        unchanged: row.unchanged,
        corrected: row.corrected,
    };
    Ok(ImportStatus {
        errors: errors(conn, actor, id).await?,
        warnings: warnings(conn, actor, id).await?,
        ..progress.status(id)
    })
}

async fn errors(conn: &mut PgConnection, actor: &str, id: ImportId) -> Result<Vec<RowError>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT row_number, reason, field, message, refused_time
        FROM import_error
        WHERE import_id = $1 AND actor = $2
        ORDER BY row_number
        LIMIT $3
        "#,
        id.0,
        actor,
        NAMED,
    )
    .fetch_all(conn)
    .await?;
    let named = rows.into_iter().map(|row| {
        let error = RowError::new(row.row_number, &row.reason, &row.field, &row.message);
        refused_at(error, row.refused_time)
    });
    Ok(named.collect())
}

async fn warnings(conn: &mut PgConnection, actor: &str, id: ImportId) -> Result<Vec<RowWarning>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT row_number, array_agg(rule ORDER BY rule) AS "rules!", array_agg(field ORDER BY rule) AS "fields!"
        FROM import_warning
        WHERE import_id = $1 AND actor = $2
        GROUP BY row_number
        ORDER BY row_number
        LIMIT $3
        "#,
        id.0,
        actor,
        NAMED,
    )
    .fetch_all(conn)
    .await?;
    let rules = |rules: Vec<i32>, fields: Vec<String>| {
        rules.into_iter().zip(fields).map(|(rule, field)| RuleWarning { rule, field }).collect()
    };
    Ok(rows.into_iter().map(|row| RowWarning { row: row.row_number, rules: rules(row.rules, row.fields) }).collect())
}

/// A refused row, with the time of its refusal.
pub(super) fn refused_at(error: RowError, time: DateTime<Utc>) -> RowError {
    RowError { refused_time: Some(timestamp(time)), ..error }
}
