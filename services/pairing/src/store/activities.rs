//! Joint activities.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{log, page::Page, region::RegionCode, request::Context};
use uuid::Uuid;

use super::published;
use crate::{
    domain::{
        ActivityId, PairingId,
        activity::{Activity, ActivityDraft, ActivityKind},
    },
    error::{Error, Refused},
};

struct Row {
    activity_id: ActivityId,
    pairing_id: PairingId,
    kind: ActivityKind,
    held_on: NaiveDate,
    participants: i32,
    remark: String,
    region_code: RegionCode,
    void_reason: String,
}

impl From<Row> for Activity {
    fn from(row: Row) -> Self {
        let draft = ActivityDraft {
            pairing: row.pairing_id,
            kind: row.kind,
            held_on: row.held_on,
            participants: row.participants,
            remark: row.remark,
        };
        Self { id: row.activity_id, draft, region: row.region_code, void_reason: row.void_reason }
    }
}

/// Adds an activity first, and its event second.
pub async fn add(conn: &mut PgConnection, context: &Context, activity: &Activity) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO activity (activity_id, pairing_id, kind, held_on, participants, remark, region_code)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        "#,
        activity.id as ActivityId,
        activity.draft.pairing as PairingId,
        activity.draft.kind as ActivityKind,
        activity.draft.held_on,
        activity.draft.participants,
        activity.draft.remark,
        activity.region as RegionCode,
    )
    .execute(&mut *conn)
    .await?;
    log::append(conn, context, &[published::activity(activity)]).await?;
    Ok(())
}

/// Writes a voided activity first, and its event second.
pub async fn save_voided(conn: &mut PgConnection, context: &Context, activity: &Activity) -> Result<(), Error> {
    sqlx::query!("UPDATE activity SET void_reason = $2 WHERE activity_id = $1", activity.id.0, activity.void_reason,)
        .execute(&mut *conn)
        .await?;
    log::append(conn, context, &[published::activity_voided(activity, context)]).await?;
    Ok(())
}

pub async fn find(conn: &mut PgConnection, id: ActivityId) -> Result<Activity, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT activity_id, pairing_id, kind, held_on, participants, remark, region_code, void_reason
        FROM activity
        WHERE activity_id = $1
        "#,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.ok_or(Refused::ActivityNotFound(id))?.into())
}

/// Number of activities of a pairing that were not voided.
pub async fn count(conn: &mut PgConnection, pairing: PairingId) -> Result<i64, Error> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM activity WHERE pairing_id = $1 AND void_reason = ''"#,
        pairing.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// Lists the activities of a pairing in the order of their entry, optionally with voided ones.
pub async fn list(
    conn: &mut PgConnection,
    pairing: PairingId,
    voided: bool,
    page: &Page<Uuid>,
) -> Result<Vec<Activity>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT activity_id, pairing_id, kind, held_on, participants, remark, region_code, void_reason
        FROM activity
        WHERE pairing_id = $1 AND activity_id > $3 AND ($2 OR void_reason = '')
        ORDER BY activity_id
        LIMIT $4
        "#,
        pairing.0,
        voided,
        page.after.unwrap_or_default(),
        page.fetch(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Activity::from).collect())
}

/// The day of the last activity of a pairing, if it is on or after `day`.
pub async fn last_from(
    conn: &mut PgConnection,
    pairing: PairingId,
    day: NaiveDate,
) -> Result<Option<NaiveDate>, Error> {
    let last = sqlx::query_scalar!(
        "SELECT max(held_on) FROM activity WHERE pairing_id = $1 AND held_on >= $2 AND void_reason = ''",
        pairing.0,
        day,
    )
    .fetch_one(conn)
    .await?;
    Ok(last)
}
