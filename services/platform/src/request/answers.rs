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

pub(super) async fn find(conn: &mut PgConnection, call: &Call) -> Result<Earlier, sqlx::Error> {
    // Parts count from 1: what has none is another request than a batch, and the other way round.
    let other = i32::from(call.part == 0);
    let earlier = sqlx::query!(
        r#"
        SELECT part, fingerprint, answer
        FROM request
        WHERE request_id = $1 AND actor = $2 AND part IN ($3, $4)
        ORDER BY part = $3 DESC
        LIMIT 1
        "#,
        call.request_id,
        call.caller.subject(),
        call.part,
        other,
    )
    .fetch_optional(conn)
    .await?;
    Ok(match earlier {
        None => Earlier::Unknown,
        Some(earlier) if earlier.part == call.part && earlier.fingerprint == call.fingerprint => {
            Earlier::Answered(earlier.answer)
        }
        Some(_) => Earlier::Other,
    })
}

/// Fails on the constraint `request_once` when a twin of the request was faster.
pub(super) async fn keep(
    conn: &mut PgConnection,
    call: &Call,
    context: &Context,
    answer: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO request (actor, request_id, part, fingerprint, answer, record_time) VALUES ($1, $2, $3, $4, $5, $6)",
        context.actor,
        call.request_id,
        call.part,
        &call.fingerprint[..],
        answer,
        context.now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
