//! Look-ups and reveals, read from the log itself.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tongxin_platform::{page::Page, region::RegionRange};
use uuid::Uuid;

use super::{published, region};
use crate::{
    domain::{
        HouseholdId,
        disclosure::{Disclosure, DisclosurePlace},
    },
    error::Error,
};

/// Filter of look-ups and reveals.
pub struct Asked {
    pub within: RegionRange,
    pub since: DateTime<Utc>,
    /// Exclusive.
    pub until: DateTime<Utc>,
    /// The actor, as `issuer|subject`; `None` for anybody.
    pub subject: Option<String>,
    /// Only reveals of this household.
    pub household: Option<HouseholdId>,
}

/// Lists look-ups and reveals, newest first.
pub async fn list(
    conn: &mut PgConnection,
    asked: &Asked,
    page: &Page<DisclosurePlace>,
) -> Result<Vec<Disclosure>, Error> {
    let end = DisclosurePlace { time: asked.until, id: Uuid::nil() };
    let before = page.after.map_or(end, |after| after.min(end));
    let rows = match (asked.household, &asked.subject) {
        (Some(household), subject) => of_household(conn, asked, before, page, (household, subject.as_deref())).await?,
        (None, Some(subject)) => by_subject(conn, asked, before, page, subject).await?,
        (None, None) => all(conn, asked, before, page).await?,
    };
    rows.into_iter().map(Row::read).collect()
}

/// A row of the log.
struct Row {
    event_id: Uuid,
    event_type: String,
    record_time: DateTime<Utc>,
    actor: String,
    region_code: i64,
    payload: Vec<u8>,
}

impl Row {
    fn read(self) -> Result<Disclosure, Error> {
        Ok(Disclosure {
            place: DisclosurePlace { time: self.record_time, id: self.event_id },
            subject: self.actor,
            region: region(self.region_code)?,
            act: published::disclosures::read(&self.event_type, &self.payload)?,
        })
    }
}

async fn all(
    conn: &mut PgConnection,
    asked: &Asked,
    before: DisclosurePlace,
    page: &Page<DisclosurePlace>,
) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"
        SELECT event_id, event_type, record_time, actor, region_code, payload
        FROM event
        WHERE event_type IN ('tongxin.monitoring.v1.HouseholdRevealed', 'tongxin.monitoring.v1.HouseholdsLookedUp')
            AND record_time >= $1 AND (record_time, event_id) < ($2, $3)
            AND region_code >= $4 AND region_code < $5
        ORDER BY record_time DESC, event_id DESC
        LIMIT $6
        "#,
        asked.since,
        before.time,
        before.id,
        asked.within.from,
        asked.within.until,
        page.fetch(),
    )
    .fetch_all(conn)
    .await
}

async fn by_subject(
    conn: &mut PgConnection,
    asked: &Asked,
    before: DisclosurePlace,
    page: &Page<DisclosurePlace>,
    subject: &str,
) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"
        SELECT event_id, event_type, record_time, actor, region_code, payload
        FROM event
        WHERE event_type IN ('tongxin.monitoring.v1.HouseholdRevealed', 'tongxin.monitoring.v1.HouseholdsLookedUp')
            AND actor = $7
            AND record_time >= $1 AND (record_time, event_id) < ($2, $3)
            AND region_code >= $4 AND region_code < $5
        ORDER BY record_time DESC, event_id DESC
        LIMIT $6
        "#,
        asked.since,
        before.time,
        before.id,
        asked.within.from,
        asked.within.until,
        page.fetch(),
        subject,
    )
    .fetch_all(conn)
    .await
}

/// A household has few events, so its other events are read, too, and filtered.
async fn of_household(
    conn: &mut PgConnection,
    asked: &Asked,
    before: DisclosurePlace,
    page: &Page<DisclosurePlace>,
    (household, subject): (HouseholdId, Option<&str>),
) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"
        SELECT event_id, event_type, record_time, actor, region_code, payload
        FROM event
        WHERE aggregate_id = $7 AND event_type = 'tongxin.monitoring.v1.HouseholdRevealed'
            AND ($8::text IS NULL OR actor = $8)
            AND record_time >= $1 AND (record_time, event_id) < ($2, $3)
            AND region_code >= $4 AND region_code < $5
        ORDER BY record_time DESC, event_id DESC
        LIMIT $6
        "#,
        asked.since,
        before.time,
        before.id,
        asked.within.from,
        asked.within.until,
        page.fetch(),
        household.to_string(),
        subject,
    )
    .fetch_all(conn)
    .await
}
