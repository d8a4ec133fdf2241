//! Household rows without personal data.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use tongxin_platform::{
    log,
    page::{Page, PageKey},
    region::{RegionCode, RegionRange},
    request::Context,
};
use uuid::Uuid;

use crate::{
    domain::{
        HouseholdId,
        disclosure::LookUpKey,
        household::{RevealPurpose, SocialSupport},
    },
    error::{Error, Refused},
    store::{named, published, region},
};

/// The columns of a household that need no unsealing.
#[derive(Debug, Clone)]
pub struct Head {
    pub id: HouseholdId,
    /// Village or community.
    pub region: RegionCode,
    /// The household that it was merged into.
    pub merged_into: Option<HouseholdId>,
    /// Lifted out of poverty by 2020.
    pub lifted_from_poverty: bool,
    pub support: SocialSupport,
    /// Day of its last move.
    pub moved_on: Option<NaiveDate>,
    pub version: i64,
}

/// A household in a list.
#[derive(Debug, Clone)]
pub struct Listed {
    pub head: Head,
    /// National household number.
    pub household_number: Option<String>,
    /// First day on which it counts as registered.
    pub registered_on: NaiveDate,
    pub register_time: DateTime<Utc>,
}

impl Head {
    /// The household, unless it was merged into another.
    ///
    /// # Errors
    /// If it was merged.
    pub fn unmerged(self) -> Result<Self, Error> {
        match self.merged_into {
            Some(kept) => Err(Refused::HouseholdMerged(kept).into()),
            None => Ok(self),
        }
    }
}

struct Row {
    household_id: Uuid,
    region_code: i64,
    lifted_from_poverty: bool,
    support: String,
    merged_into: Option<Uuid>,
    moved_on: Option<NaiveDate>,
    version: i64,
}

impl TryFrom<Row> for Head {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: HouseholdId(row.household_id),
            region: region(row.region_code)?,
            merged_into: row.merged_into.map(HouseholdId),
            lifted_from_poverty: row.lifted_from_poverty,
            support: named(SocialSupport::by_name(&row.support), &row.support)?,
            moved_on: row.moved_on,
            version: row.version,
        })
    }
}

/// Locks a household until the transaction ends. Every change of a household begins with this; a merged household is
/// returned as well.
pub async fn lock_head(conn: &mut PgConnection, id: HouseholdId) -> Result<Head, Error> {
    lock(conn, &[id]).await?.remove(&id).ok_or_else(|| Refused::HouseholdNotFound(id).into())
}

/// Locks households in the order of their identifiers, which avoids deadlocks. Those that are not visible are missing.
pub async fn lock(conn: &mut PgConnection, ids: &[HouseholdId]) -> Result<HashMap<HouseholdId, Head>, Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT household_id, region_code, lifted_from_poverty, support, merged_into, moved_on, version
        FROM household
        WHERE household_id = ANY($1)
        ORDER BY household_id
        FOR UPDATE
        "#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((HouseholdId(row.household_id), row.try_into()?))).collect()
}

/// Locks those of some households that no other transaction has locked, and returns them.
pub async fn lock_free(conn: &mut PgConnection, ids: &[HouseholdId]) -> Result<HashSet<HouseholdId>, Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let held = sqlx::query_scalar!(
        r#"
        SELECT household_id
        FROM household
        WHERE household_id = ANY($1)
        ORDER BY household_id
        FOR UPDATE SKIP LOCKED
        "#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(held.into_iter().map(HouseholdId).collect())
}

pub async fn find_head(conn: &mut PgConnection, id: HouseholdId) -> Result<Head, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT household_id, region_code, lifted_from_poverty, support, merged_into, moved_on, version
        FROM household
        WHERE household_id = $1
        "#,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    row.ok_or(Refused::HouseholdNotFound(id))?.try_into()
}

/// Lists the households of a range by village, in the order of their registration, without merged ones.
pub async fn list(conn: &mut PgConnection, within: RegionRange, page: &Page<PageKey>) -> Result<Vec<Listed>, Error> {
    let (after_region, after_id) = PageKey::columns_in(within, page.after);
    let rows = sqlx::query!(
        r#"
        SELECT household_id, household_number, region_code, lifted_from_poverty, support, registered_on, moved_on,
               register_time, version
        FROM household
        WHERE (region_code, household_id) > ($1, $2) AND region_code < $3
            AND merged_into IS NULL
        ORDER BY region_code, household_id
        LIMIT $4
        "#,
        after_region,
        after_id,
        within.until,
        page.fetch(),
    )
    .fetch_all(conn)
    .await?;
    let mut listed = Vec::with_capacity(rows.len());
    for row in rows {
        listed.push(Listed {
            head: Head {
                id: HouseholdId(row.household_id),
                region: region(row.region_code)?,
                merged_into: None,
                lifted_from_poverty: row.lifted_from_poverty,
                support: named(SocialSupport::by_name(&row.support), &row.support)?,
                moved_on: row.moved_on,
                version: row.version,
            },
            household_number: row.household_number,
            registered_on: row.registered_on,
            register_time: row.register_time,
        });
    }
    Ok(listed)
}

/// Appends the event of a look-up, with the number of households found.
pub async fn state_looked_up(
    conn: &mut PgConnection,
    context: &Context,
    (key, region): (LookUpKey, RegionCode),
    found: usize,
) -> Result<(), Error> {
    let event = published::households::looked_up((key, region), found, context);
    Ok(log::append(conn, context, &[event]).await?)
}

/// Appends the event of a reveal, with its purpose.
pub async fn state_revealed(
    conn: &mut PgConnection,
    context: &Context,
    head: &Head,
    (purpose, reference): (RevealPurpose, String),
) -> Result<(), Error> {
    let event = published::households::revealed(head, (purpose, reference), context);
    Ok(log::append(conn, context, &[event]).await?)
}
