//! Writes sealed households, with their members and events.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use tongxin_platform::{change::Change, import::ImportId, log, personal::DataKey, request::Context};
use uuid::Uuid;

use crate::{
    domain::{
        HouseholdId,
        household::{Household, HouseholdEvent, HouseholdRefused, Why},
    },
    error::{Error, Refused},
    store::{
        keys::Keys,
        members, published,
        sealed::{self, Sealed},
    },
};

/// Adds new households with their members and events, in order, and returns those whose household number is taken: they
/// are not added.
pub async fn add(
    conn: &mut PgConnection,
    context: &Context,
    import: Option<ImportId>,
    new: &[Sealed],
) -> Result<HashSet<HouseholdId>, Error> {
    if new.is_empty() {
        return Ok(HashSet::new());
    }
    // Imports of the same households at once wait for each other in one order.
    let mut ordered: Vec<&Sealed> = new.iter().collect();
    ordered.sort_by_key(|sealed| (&sealed.household.household_number, sealed.household.region.number()));
    let households = || ordered.iter().map(|sealed| &sealed.household);
    let ids: Vec<Uuid> = households().map(|household| household.id.0).collect();
    let numbers: Vec<Option<&str>> = households().map(|household| household.household_number.as_deref()).collect();
    let regions: Vec<i64> = households().map(|household| household.region.number()).collect();
    let lifted: Vec<bool> = households().map(|household| household.lifted_from_poverty).collect();
    let supports: Vec<&str> = households().map(|household| household.support.name()).collect();
    let data_keys: Vec<&[u8]> = ordered.iter().map(|sealed| sealed.data_key.as_slice()).collect();
    let contacts: Vec<&[u8]> = ordered.iter().map(|sealed| sealed.contact.as_slice()).collect();
    let registered_on: Vec<NaiveDate> = households().map(|household| household.registered_on).collect();
    let register_times: Vec<DateTime<Utc>> = households().map(|household| household.register_time).collect();

    let added = sqlx::query_scalar!(
        r#"
        INSERT INTO household
            (household_id, household_number, region_code, lifted_from_poverty, support, data_key, sealed_contact,
             registered_on, register_time, version)
        SELECT unnest($1::uuid[]), unnest($2::text[]), unnest($3::bigint[]), unnest($4::boolean[]),
               unnest($5::text[]), unnest($6::bytea[]), unnest($7::bytea[]), unnest($8::date[]),
               unnest($9::timestamptz[]), 1
        ON CONFLICT (household_number, (region_code / 1000000)) WHERE household_number IS NOT NULL AND merged_into IS NULL DO NOTHING
        RETURNING household_id
        "#,
        &ids,
        &numbers as &[Option<&str>],
        &regions,
        &lifted,
        &supports as &[&str],
        &data_keys as &[&[u8]],
        &contacts as &[&[u8]],
        &registered_on,
        &register_times,
    )
    .fetch_all(&mut *conn)
    .await?;
    let added: HashSet<HouseholdId> = added.into_iter().map(HouseholdId).collect();
    let kept: Vec<&Sealed> = new.iter().filter(|sealed| added.contains(&sealed.household.id)).collect();
    members::add(conn, &kept).await?;

    let households: Vec<&Household> = kept.iter().map(|sealed| &sealed.household).collect();
    log::append(conn, context, &published::households::registered(&households, import, context)).await?;
    Ok(ids.into_iter().map(HouseholdId).filter(|id| !added.contains(id)).collect())
}

/// Writes a changed household first and its events second.
pub async fn save(
    conn: &mut PgConnection,
    context: &Context,
    keys: &Keys,
    change: Change<Household, HouseholdEvent>,
) -> Result<Household, Error> {
    let Change { state: household, events } = change;
    if events.is_empty() {
        return Ok(household);
    }
    write(conn, keys, &household).await?;
    let events: Vec<_> =
        events.iter().flat_map(|event| published::households::changed(&household, event, context)).collect();
    log::append(conn, context, &events).await?;
    Ok(household)
}

/// Overwrites a household and its members.
pub async fn write(conn: &mut PgConnection, keys: &Keys, household: &Household) -> Result<(), Error> {
    let key = lock_key(conn, keys, household.id).await?;
    let contact = sealed::contact(&key, household)?;
    sqlx::query!(
        r#"
        UPDATE household
        SET household_number = $2,
            region_code = $3,
            lifted_from_poverty = $4,
            support = $5,
            sealed_contact = $6,
            merged_into = $7,
            moved_on = $8,
            version = $9
        WHERE household_id = $1
        "#,
        household.id.0,
        household.household_number,
        household.region.number(),
        household.lifted_from_poverty,
        household.support.name(),
        contact,
        household.merged_into.map(|kept| kept.0),
        household.moved_on,
        household.version,
    )
    .execute(&mut *conn)
    .await
    .map_err(number_taken)?;
    members::replace(conn, household, &sealed::members(keys, &key, household)?).await
}

async fn lock_key(conn: &mut PgConnection, keys: &Keys, id: HouseholdId) -> Result<DataKey, Error> {
    let wrapped = sqlx::query_scalar!("SELECT data_key FROM household WHERE household_id = $1 FOR UPDATE", id.0)
        .fetch_optional(conn)
        .await?
        .ok_or(Refused::HouseholdNotFound(id))?;
    sealed::data_key(keys, id, &wrapped)
}

fn number_taken(error: sqlx::Error) -> Error {
    match error.as_database_error().and_then(|error| error.constraint()) {
        Some("household_number_taken") => HouseholdRefused::new("household_number", Why::NumberTaken).into(),
        _ => error.into(),
    }
}
