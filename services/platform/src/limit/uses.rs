//! The uses of each subject within its hour, in the database.

use std::{sync::LazyLock, time::Duration};

use chrono::{TimeDelta, Utc};
use opentelemetry::{KeyValue, global, metrics::Counter};
use sqlx::PgConnection;

use super::{LimitReached, Limited};
use crate::request::{Context, RequestError};

/// Expired rows of other subjects that are deleted when an hour begins.
const FORGOTTEN_AT_ONCE: i64 = 10;

/// Counts one use, before the action: a refused caller learns nothing. The subject's row stays locked until the
/// transaction ends, so concurrent calls do not exceed the limit together; a rollback gives the use back.
///
/// # Errors
/// [`RequestError::LimitReached`], and database errors.
pub async fn take(conn: &mut PgConnection, context: &Context, what: Limited) -> Result<(), RequestError> {
    let most = what.most(context.limits);
    let used = sqlx::query_scalar!(
        r#"
        INSERT INTO hourly_use AS kept (subject, kind, since, used)
        SELECT $1, $2, $3, 1
        WHERE $4::bigint > 0
        ON CONFLICT (subject, kind) DO UPDATE
        SET since = CASE WHEN kept.since <= excluded.since - interval '1 hour' THEN excluded.since ELSE kept.since END,
            used = CASE WHEN kept.since <= excluded.since - interval '1 hour' THEN 1 ELSE kept.used + 1 END
        WHERE kept.since <= excluded.since - interval '1 hour' OR kept.used < $4
        RETURNING used
        "#,
        context.actor,
        what.name(),
        context.now,
        i64::from(most),
    )
    .fetch_optional(&mut *conn)
    .await?;
    match used {
        Some(used) => {
            count(what, "allowed");
            if used == 1 {
                forget(conn, context).await?;
            }
            Ok(())
        }
        None => Err(refused(left(conn, context, what).await?.reached).into()),
    }
}

/// Refuses a subject that has no use left, without counting: for requests whose refusal may count as a use.
///
/// # Errors
/// As [`take`].
pub async fn require(conn: &mut PgConnection, context: &Context, what: Limited) -> Result<(), RequestError> {
    left(conn, context, what).await?.require()
}

/// The uses that a subject has left, for a request about many rows: each that reveals something is spent, and those after
/// the last one are refused one by one.
#[derive(Debug)]
pub struct Left {
    uses: u32,
    reached: LimitReached,
}

impl Left {
    /// Refuses if none is left.
    ///
    /// # Errors
    /// [`LimitReached`].
    pub fn require(&self) -> Result<(), RequestError> {
        if self.uses > 0 { Ok(()) } else { Err(refused(self.reached).into()) }
    }

    /// Takes one away. It is not counted by this, but with [`add`].
    pub const fn spend(&mut self) {
        self.uses = self.uses.saturating_sub(1);
    }
}

/// Locks a subject's uses until the transaction ends, so that what is left is shared by the batches that it sends at
/// once. Taken before [`left`] by whoever compares or looks up many rows.
///
/// # Errors
/// Database errors.
pub async fn lock(conn: &mut PgConnection, context: &Context) -> Result<(), RequestError> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", context.actor).execute(conn).await?;
    Ok(())
}

/// What a subject has left of its hour, without counting.
///
/// # Errors
/// Database errors.
pub async fn left(conn: &mut PgConnection, context: &Context, what: Limited) -> Result<Left, RequestError> {
    let hour = sqlx::query!(
        "SELECT since, used FROM hourly_use WHERE subject = $1 AND kind = $2 AND since > $3::timestamptz - interval '1 hour'",
        context.actor,
        what.name(),
        context.now,
    )
    .fetch_optional(conn)
    .await?;
    let (since, used) = hour.map_or((context.now, 0), |hour| (hour.since, hour.used));
    let most = what.most(context.limits);
    let ends = since + TimeDelta::hours(1);
    let seconds = ends.signed_duration_since::<Utc>(context.now).num_seconds() + 1;
    let retry_after = Duration::from_secs(seconds.clamp(1, 3_600).unsigned_abs());
    let left = u32::try_from(i64::from(most).saturating_sub(used)).unwrap_or(0);
    Ok(Left { uses: left, reached: LimitReached { what, most, retry_after } })
}

/// Counts uses that were made already, even past the limit: what was revealed cannot be taken back, but the next use is
/// refused earlier.
///
/// # Errors
/// Database errors.
pub async fn add(conn: &mut PgConnection, context: &Context, what: Limited, uses: u32) -> Result<(), RequestError> {
    sqlx::query!(
        r#"
        INSERT INTO hourly_use AS kept (subject, kind, since, used)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (subject, kind) DO UPDATE
        SET since = CASE WHEN kept.since <= excluded.since - interval '1 hour' THEN excluded.since ELSE kept.since END,
            used = excluded.used
                + CASE WHEN kept.since <= excluded.since - interval '1 hour' THEN 0 ELSE kept.used END
        "#,
        context.actor,
        what.name(),
        context.now,
        i64::from(uses),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes some rows whose hour ended a day ago, so that subjects that are gone leave none behind.
async fn forget(conn: &mut PgConnection, context: &Context) -> Result<(), RequestError> {
    sqlx::query!(
        r#"
        DELETE FROM hourly_use
        WHERE (subject, kind) IN (
            SELECT subject, kind
            FROM hourly_use
            WHERE since < $1::timestamptz - interval '1 day'
            ORDER BY since
            LIMIT $2
            FOR UPDATE SKIP LOCKED
        )
        "#,
        context.now,
        FORGOTTEN_AT_ONCE,
    )
    .execute(conn)
    .await?;
    Ok(())
}

static USES: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("tongxin")
        .u64_counter("tongxin_limited_uses")
        .with_description("Look-ups and reveals by whether the hourly limit of their subject allowed them")
        .build()
});

fn count(what: Limited, outcome: &'static str) {
    USES.add(1, &[KeyValue::new("kind", what.name()), KeyValue::new("outcome", outcome)]);
}

fn refused(reached: LimitReached) -> LimitReached {
    count(reached.what, "refused");
    reached
}
