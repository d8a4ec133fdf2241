//! Stored responses, by idempotency key.

use sqlx::PgConnection;

use super::{Call, Context, RequestError, RequestKeys};
use crate::personal::KeyVersion;

/// What is stored under an idempotency key.
pub(super) enum Earlier {
    /// Nothing: the request has not been carried out.
    Unknown,
    /// The request was carried out, with this response.
    Answered(Vec<u8>),
    /// Another request, or the same one when the caller had another region.
    Other,
}

/// Part 0 reserves the idempotency key for the whole batch, so that no other request can reuse it once the first part
/// has been committed.
pub(super) async fn find(conn: &mut PgConnection, call: &Call, keys: &RequestKeys) -> Result<Earlier, RequestError> {
    let rows = sqlx::query!(
        "
        SELECT part, key_version, fingerprint, answer, asked_from
        FROM request
        WHERE request_id = $1 AND actor = $2 AND part IN (0, $3)
        ",
        call.request_id,
        call.caller.subject(),
        call.part,
    )
    .fetch_all(conn)
    .await?;
    let mut earlier = Earlier::Unknown;
    for row in rows {
        let asked = match call.batch {
            Some(batch) if row.part == 0 => batch,
            _ => call.digest,
        };
        let here = call.caller.region().range();
        let is_here = (here.from..here.until).contains(&row.asked_from);
        if !is_here || fingerprint(keys, row.key_version, &asked)?[..] != row.fingerprint {
            return Ok(Earlier::Other);
        }
        if row.part == call.part {
            earlier = Earlier::Answered(row.answer);
        }
    }
    Ok(earlier)
}

/// The fingerprint of a digest under the key version of a row.
fn fingerprint(keys: &RequestKeys, version: i64, digest: &[u8; 32]) -> Result<[u8; 32], RequestError> {
    let known = u32::try_from(version).ok().and_then(KeyVersion::new);
    known.and_then(|known| keys.fingerprint(known, digest)).ok_or(RequestError::NoSuchKey(version))
}

/// Violates the constraint `request_once` if the same request, or another one with its identifier, was faster.
pub(super) async fn keep(
    conn: &mut PgConnection,
    (call, keys): (&Call, &RequestKeys),
    context: &Context,
    answer: &[u8],
) -> Result<(), RequestError> {
    if let (1, Some(batch)) = (call.part, call.batch) {
        insert(conn, (call, keys), context, (0, batch, b"")).await?;
    }
    insert(conn, (call, keys), context, (call.part, call.digest, answer)).await
}

async fn insert(
    conn: &mut PgConnection,
    (call, keys): (&Call, &RequestKeys),
    context: &Context,
    (part, digest, answer): (i32, [u8; 32], &[u8]),
) -> Result<(), RequestError> {
    let key_version = i64::from(keys.current().get());
    let fingerprint = fingerprint(keys, key_version, &digest)?;
    sqlx::query!(
        "
        INSERT INTO request (actor, request_id, part, key_version, fingerprint, answer, asked_from, record_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ",
        context.actor,
        call.request_id,
        part,
        key_version,
        &fingerprint[..],
        answer,
        call.caller.region().number(),
        context.now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
