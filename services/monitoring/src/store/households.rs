//! Households, with their members.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use secrecy::ExposeSecret as _;
use sqlx::PgConnection;
use tongxin_platform::{
    change::Change,
    log,
    page::{Page, Place},
    personal::DataKey,
    region::{Level, RegionCode, RegionRange},
    request::Context,
};
use uuid::Uuid;

use super::{
    keys::{Hash, Keys},
    members, named, published, region, sealed,
    sealed::Sealed,
};
use crate::{
    domain::{
        HouseholdId, ImportId,
        household::{Household, HouseholdEvent, Refused, RevealPurpose, SocialSupport, Why},
        member::Member,
    },
    error::Error,
};

/// Households that a look-up returns.
const FOUND: i64 = 50;

/// What a code is divided by to get its county's six digits.
const COUNTY: i64 = 1_000_000;

/// What is known of a household without opening anything.
#[derive(Debug, Clone)]
pub struct Head {
    /// Identifier.
    pub id: HouseholdId,
    /// Village or community.
    pub region: RegionCode,
    /// The household that it was merged into.
    pub merged_into: Option<HouseholdId>,
    /// Whether it was lifted out of poverty by 2020.
    pub lifted_from_poverty: bool,
    /// Social support.
    pub support: SocialSupport,
    /// Day of its last move.
    pub moved_on: Option<NaiveDate>,
    /// Rises with each change.
    pub version: i64,
}

/// A household in a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What others ask about it, too.
    pub head: Head,
    /// National household number.
    pub household_number: Option<String>,
    /// First day on which it counts as registered.
    pub registered_on: NaiveDate,
    /// When it was registered.
    pub register_time: DateTime<Utc>,
}

impl Head {
    /// The same, unless it was merged into another.
    ///
    /// # Errors
    /// When it was.
    pub fn unmerged(self) -> Result<Self, Error> {
        match self.merged_into {
            Some(kept) => Err(Error::HouseholdMerged(kept)),
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

/// Holds a household still until the transaction ends. Whoever changes something of it does this first;
/// one that was merged into another is returned as well.
pub async fn lock_head(conn: &mut PgConnection, id: HouseholdId) -> Result<Head, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT household_id, region_code, lifted_from_poverty, support, merged_into, moved_on, version
        FROM household
        WHERE household_id = $1
        FOR UPDATE
        "#,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    row.ok_or(Error::HouseholdNotFound(id))?.try_into()
}

/// What is known of a household without opening anything.
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
    row.ok_or(Error::HouseholdNotFound(id))?.try_into()
}

/// Lists the households of a range by village, in the order of their registration, without those that were merged
/// into others.
pub async fn list(conn: &mut PgConnection, within: RegionRange, page: &Page<Place>) -> Result<Vec<Listed>, Error> {
    let (after_region, after_id) = Place::columns_in(within, page.after);
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

/// By what members are looked up.
#[derive(Debug, Clone, Copy)]
pub enum Index {
    /// The hash of an ID number.
    IdNumber(Hash),
    /// The hash of a full name.
    Name(Hash),
}

/// Finds households by somebody who belongs to them, within a region, without those that were merged into
/// others, and opens what is personal of them.
pub async fn search(
    conn: &mut PgConnection,
    keys: &Keys,
    index: Index,
    region: RegionCode,
) -> Result<Vec<Household>, Error> {
    let RegionRange { from, until } = region.range();
    let found = match index {
        Index::IdNumber(hash) => {
            sqlx::query_as!(
                Kept,
                r#"
                SELECT household_id, household_number, region_code, lifted_from_poverty, support, data_key,
                       sealed_contact, merged_into, registered_on, moved_on, register_time, version
                FROM household
                WHERE merged_into IS NULL
                    AND household_id IN (
                        SELECT household_id
                        FROM member
                        WHERE id_index = $1 AND left_on IS NULL AND region_code >= $2 AND region_code < $3
                    )
                ORDER BY household_id
                LIMIT $4
                "#,
                hash,
                from,
                until,
                FOUND,
            )
            .fetch_all(&mut *conn)
            .await?
        }
        Index::Name(hash) => {
            let counties = counties(conn, region).await?;
            sqlx::query_as!(
                Kept,
                r#"
                SELECT household_id, household_number, region_code, lifted_from_poverty, support, data_key,
                       sealed_contact, merged_into, registered_on, moved_on, register_time, version
                FROM household
                WHERE merged_into IS NULL
                    AND household_id IN (
                        SELECT household_id
                        FROM member
                        WHERE county = ANY($5) AND name_index = $1 AND left_on IS NULL
                            AND region_code >= $2 AND region_code < $3
                    )
                ORDER BY household_id
                LIMIT $4
                "#,
                hash,
                from,
                until,
                FOUND,
                &counties,
            )
            .fetch_all(&mut *conn)
            .await?
        }
    };
    open(conn, keys, found).await
}

/// The counties that a region lies in or holds, as the index of names has them.
async fn counties(conn: &mut PgConnection, region: RegionCode) -> Result<Vec<i32>, Error> {
    if region.level() >= Level::County {
        return Ok(vec![i32::try_from(region.number() / COUNTY).unwrap_or_default()]);
    }
    let RegionRange { from, until } = region.range();
    let counties = sqlx::query_scalar!(
        r#"
        SELECT DISTINCT (region_code / 1000000)::integer AS "county!"
        FROM region
        -- Some cities have towns and no counties.
        WHERE level IN ('city', 'county') AND region_code >= $1 AND region_code < $2
        "#,
        from,
        until,
    )
    .fetch_all(conn)
    .await?;
    Ok(counties)
}

/// Reads a household and opens what is personal of it.
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
    open(conn, keys, kept).await?.pop().ok_or(Error::HouseholdNotFound(id))
}

/// A household as it is kept.
struct Kept {
    household_id: Uuid,
    household_number: Option<String>,
    region_code: i64,
    lifted_from_poverty: bool,
    support: String,
    data_key: Vec<u8>,
    sealed_contact: Vec<u8>,
    merged_into: Option<Uuid>,
    registered_on: NaiveDate,
    moved_on: Option<NaiveDate>,
    register_time: DateTime<Utc>,
    version: i64,
}

/// Reads the members of households, and opens what is personal.
async fn open(conn: &mut PgConnection, keys: &Keys, kept: Vec<Kept>) -> Result<Vec<Household>, Error> {
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

/// Adds new households with their members and events, in their order, and says whose household number is
/// taken: those are not added.
pub async fn add(
    conn: &mut PgConnection,
    context: &Context,
    import: Option<ImportId>,
    new: &[Sealed],
) -> Result<HashSet<HouseholdId>, Error> {
    if new.is_empty() {
        return Ok(HashSet::new());
    }
    let households = || new.iter().map(|sealed| &sealed.household);
    let ids: Vec<Uuid> = households().map(|household| household.id.0).collect();
    let numbers: Vec<Option<&str>> = households().map(|household| household.household_number.as_deref()).collect();
    let regions: Vec<i64> = households().map(|household| household.region.number()).collect();
    let lifted: Vec<bool> = households().map(|household| household.lifted_from_poverty).collect();
    let supports: Vec<&str> = households().map(|household| household.support.name()).collect();
    let data_keys: Vec<&[u8]> = new.iter().map(|sealed| sealed.data_key.as_slice()).collect();
    let contacts: Vec<&[u8]> = new.iter().map(|sealed| sealed.contact.as_slice()).collect();
    let registered_on: Vec<NaiveDate> = households().map(|household| household.registered_on).collect();
    let register_times: Vec<DateTime<Utc>> = households().map(|household| household.register_time).collect();

    let added = sqlx::query_scalar!(
        r#"
        INSERT INTO household
            (household_id, household_number, region_code, lifted_from_poverty, support, data_key, sealed_contact,
             registered_on, register_time, version)
        SELECT *, 1
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::boolean[], $5::text[], $6::bytea[], $7::bytea[],
                    $8::date[], $9::timestamptz[])
        ON CONFLICT (household_number) WHERE merged_into IS NULL DO NOTHING
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
    log::append(conn, context, &published::households::registered(&households, import)).await?;
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

/// Writes a household as it is now, with its members.
pub(super) async fn write(conn: &mut PgConnection, keys: &Keys, household: &Household) -> Result<(), Error> {
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
        .ok_or(Error::HouseholdNotFound(id))?;
    sealed::data_key(keys, id, &wrapped)
}

fn number_taken(error: sqlx::Error) -> Error {
    match error.as_database_error().and_then(|error| error.constraint()) {
        Some("household_number_taken") => Refused::new("household_number", Why::NumberTaken).into(),
        _ => error.into(),
    }
}

/// States that what is personal of a household is shown, and why.
pub async fn state_revealed(
    conn: &mut PgConnection,
    context: &Context,
    head: &Head,
    (purpose, reference): (RevealPurpose, String),
) -> Result<(), Error> {
    let event = published::households::revealed(head, (purpose, reference), context);
    Ok(log::append(conn, context, &[event]).await?)
}

/// Rows of members, by household.
pub(super) type Members = HashMap<HouseholdId, Vec<members::Kept>>;
