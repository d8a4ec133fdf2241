//! Complete households, with members and opened personal data.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use secrecy::ExposeSecret as _;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    domain::{
        HouseholdId,
        household::{Household, SocialSupport},
        member::Member,
    },
    error::{Error, Refused},
    store::{keys::Keys, members, named, region, sealed},
};

/// Reads a household and opens its personal data.
pub async fn find(conn: &mut PgConnection, keys: &Keys, id: HouseholdId) -> Result<Household, Error> {
    let kept = sqlx::query_as!(
        Kept,
        r#"
        SELECT household_id, household_number, region_code, lifted_from_poverty, support, data_key, sealed_contact,
               merged_into, registered_on, moved_on, register_time, version
        FROM household
        WHERE household_id = $1
        "#,
        id.0,
    )
    .fetch_all(&mut *conn)
    .await?;
    open(conn, keys, kept).await?.pop().ok_or_else(|| Refused::HouseholdNotFound(id).into())
}

/// Reads households and opens their personal data; those that do not exist or are not visible are missing.
pub async fn find_many(
    conn: &mut PgConnection,
    keys: &Keys,
    ids: &[HouseholdId],
) -> Result<HashMap<HouseholdId, Household>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let kept = sqlx::query_as!(
        Kept,
        r#"
        SELECT household_id, household_number, region_code, lifted_from_poverty, support, data_key, sealed_contact,
               merged_into, registered_on, moved_on, register_time, version
        FROM household
        WHERE household_id = ANY($1)
        "#,
        &ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    let households = open(conn, keys, kept).await?;
    Ok(households.into_iter().map(|household| (household.id, household)).collect())
}

/// A household as stored.
pub(super) struct Kept {
    pub(super) household_id: Uuid,
    pub(super) household_number: Option<String>,
    pub(super) region_code: i64,
    pub(super) lifted_from_poverty: bool,
    pub(super) support: String,
    pub(super) data_key: Vec<u8>,
    pub(super) sealed_contact: Vec<u8>,
    pub(super) merged_into: Option<Uuid>,
    pub(super) registered_on: NaiveDate,
    pub(super) moved_on: Option<NaiveDate>,
    pub(super) register_time: DateTime<Utc>,
    pub(super) version: i64,
}

/// Reads the members of households, and opens their personal data.
pub(super) async fn open(conn: &mut PgConnection, keys: &Keys, kept: Vec<Kept>) -> Result<Vec<Household>, Error> {
    let ids: Vec<Uuid> = kept.iter().map(|row| row.household_id).collect();
    let mut members = members::of_households(conn, &ids).await?;
    let mut households = Vec::with_capacity(kept.len());
    for row in kept {
        let id = HouseholdId(row.household_id);
        let key = sealed::data_key(keys, id, &row.data_key)?;
        let members = members.remove(&id).unwrap_or_default().into_iter().map(|member| member.open(&key));
        households.push(Household {
            id,
            household_number: row.household_number,
            region: region(row.region_code)?,
            contact: sealed::open_contact(&key, id, &row.sealed_contact)?,
            lifted_from_poverty: row.lifted_from_poverty,
            support: named(SocialSupport::by_name(&row.support), &row.support)?,
            members: members.collect::<Result<Vec<Member>, Error>>()?,
            merged_into: row.merged_into.map(HouseholdId),
            registered_on: row.registered_on,
            moved_on: row.moved_on,
            register_time: row.register_time,
            version: row.version,
        });
    }
    Ok(households)
}

/// The full name of a household's head, for the public notice.
pub async fn head_name(conn: &mut PgConnection, keys: &Keys, id: HouseholdId) -> Result<String, Error> {
    let household = find(conn, keys, id).await?;
    let head = household.head().ok_or_else(|| Error::Corrupt(format!("household {id} without a head")))?;
    Ok(head.personal.name.expose_secret().to_owned())
}
