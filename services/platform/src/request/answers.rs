//! The answers that were given, by request.

use sqlx::PgConnection;

use super::{Call, Context};

/// What is known of a request.
pub(super) enum Earlier {
    /// It has not been carried out.
    Unknown,
    /// It was, with this answer.
    Answered(Vec<u8>),
    /// Another one was carried out under its identifier.
    Other,
}

/// A batch has a row of its own, part 0, so that its identifier is taken for anything else from its first part on.
pub(super) async fn find(conn: &mut PgConnection, call: &Call) -> Result<Earlier, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT part, fingerprint, answer FROM request WHERE request_id = $1 AND actor = $2 AND part IN (0, $3)",
        call.request_id,
        call.caller.subject(),
        call.part,
    )
    .fetch_all(conn)
    .await?;
    let is_other = |batch| rows.iter().any(|row| row.part == 0 && row.fingerprint != batch);
    if call.batch.is_some_and(is_other) {
        return Ok(Earlier::Other);
    }
    Ok(match rows.into_iter().find(|row| row.part == call.part) {
        None => Earlier::Unknown,
        Some(earlier) if earlier.fingerprint == call.fingerprint => Earlier::Answered(earlier.answer),
        Some(_) => Earlier::Other,
    })
}

/// Fails on the constraint `request_once` when a twin of the request, or another one of its identifier, was faster.
pub(super) async fn keep(
    conn: &mut PgConnection,
    call: &Call,
    context: &Context,
    answer: &[u8],
) -> Result<(), sqlx::Error> {
    if let (1, Some(batch)) = (call.part, call.batch) {
        insert(conn, call, context, (0, batch, b"")).await?;
    }
    insert(conn, call, context, (call.part, call.fingerprint, answer)).await
}

async fn insert(
    conn: &mut PgConnection,
    call: &Call,
    context: &Context,
    (part, fingerprint, answer): (i32, [u8; 32], &[u8]),
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO request (actor, request_id, part, fingerprint, answer, record_time) VALUES ($1, $2, $3, $4, $5, $6)",
        context.actor,
        call.request_id,
        part,
        &fingerprint[..],
        answer,
        context.now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
