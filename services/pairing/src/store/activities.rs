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
    error::Error,
};

struct Row {
    activity_id: Uuid,
    pairing_id: Uuid,
    kind: String,
    held_on: NaiveDate,
    participants: i32,
    remark: String,
    region_code: i64,
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
        Ok(Self { id: ActivityId(row.activity_id), draft, region: region(row.region_code)? })
    }
}

/// Adds an activity, then its event.
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

/// Lists the activities of a pairing in the order of their entry.
pub async fn list(conn: &mut PgConnection, pairing: PairingId, page: &Page<Uuid>) -> Result<Vec<Activity>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT activity_id, pairing_id, kind, held_on, participants, remark, region_code
        FROM activity
        WHERE pairing_id = $1 AND ($2::uuid IS NULL OR activity_id > $2)
        ORDER BY activity_id
        LIMIT $3
        "#,
        pairing.0,
        page.after,
        page.fetch(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Activity::try_from).collect()
}

/// The last day from a day on, on which the sides of a pairing met.
pub async fn last_from(
    conn: &mut PgConnection,
    pairing: PairingId,
    day: NaiveDate,
) -> Result<Option<NaiveDate>, Error> {
    let last = sqlx::query_scalar!(
        "SELECT max(held_on) FROM activity WHERE pairing_id = $1 AND held_on >= $2",
        pairing.0,
        day,
    )
    .fetch_one(conn)
    .await?;
    Ok(last)
}
