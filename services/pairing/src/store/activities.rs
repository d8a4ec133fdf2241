//! Joint activities.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{log, page::Page, request::Context};
use uuid::Uuid;

use super::{by_name, published, region};
use crate::{
    domain::{
        ActivityId, PairingId,
        activity::{Activity, ActivityDraft, ActivityKind},
    },
    error::{Error, Refused},
};

struct Row {
    activity_id: Uuid,
    pairing_id: Uuid,
    kind: String,
    held_on: NaiveDate,
    participants: i32,
    remark: String,
    region_code: i64,
    void_reason: String,
}

impl TryFrom<Row> for Activity {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let draft = ActivityDraft {
            pairing: PairingId(row.pairing_id),
            kind: by_name(&ActivityKind::ALL, ActivityKind::name, &row.kind)?,
            held_on: row.held_on,
            participants: row.participants,
            remark: row.remark,
        };
        Ok(Self {
            id: ActivityId(row.activity_id),
            draft,
            region: region(row.region_code)?,
            void_reason: row.void_reason,
        })
    }
}

/// Adds an activity first, and its event second.
pub async fn add(conn: &mut PgConnection, context: &Context, activity: &Activity) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO activity (activity_id, pairing_id, kind, held_on, participants, remark, region_code)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        "#,
        activity.id.0,
        activity.draft.pairing.0,
        activity.draft.kind.name(),
        activity.draft.held_on,
        activity.draft.participants,
        activity.draft.remark,
        activity.region.number(),
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
    row.ok_or(Refused::ActivityNotFound(id))?.try_into()
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
    rows.into_iter().map(Activity::try_from).collect()
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
