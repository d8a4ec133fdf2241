//! Warnings of departments: kept sealed, and matched with the person that they are about.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use secrecy::ExposeSecret as _;
use sqlx::PgConnection;
use tongxin_platform::{
    db::Scope,
    log,
    personal::{KeyVersion, Place},
    region::RegionCode,
    request::Context,
};
use uuid::Uuid;

use super::{
    named,
    raise::{Raised, raise},
    region,
};
use crate::{
    domain::{
        HouseholdId, WarningId,
        household::Household,
        id_number::IdNumber,
        member::Member,
        risk::Risk,
        signal::{Department, Origin, Report},
    },
    error::Error,
    store::{
        households,
        keys::{Hash, Keys},
        published,
    },
};

/// The lock that keeps a person from being registered while warnings come in: neither would see the other.
/// Registrations share it.
const MATCHING: i64 = 0x7761_726e_696e_6773;

/// A warning about a person.
#[derive(Debug, Clone)]
pub struct Warning {
    /// Identifier.
    pub id: WarningId,
    /// The person.
    pub id_number: IdNumber,
    /// What the person's household is at risk of.
    pub cause: Risk,
    /// Business date.
    pub occurred_on: NaiveDate,
    /// The sender's own number.
    pub reference: String,
}

/// A warning without the person.
struct Unmatched {
    id: WarningId,
    cause: Risk,
    origin: Origin,
    occurred_on: NaiveDate,
}

impl Unmatched {
    fn report(&self, household: HouseholdId, region: RegionCode) -> Report {
        Report { household, region, cause: self.cause, origin: self.origin, reported_on: self.occurred_on }
    }
}

/// Lets no warning come in until the transaction ends. Who locks households besides does this first.
pub async fn hold_warnings_off(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock_shared($1)", MATCHING).execute(conn).await?;
    Ok(())
}

/// Lets nobody be registered until the transaction ends.
pub async fn hold_still(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", MATCHING).execute(conn).await?;
    Ok(())
}

/// Keeps warnings of a department in a region, each sealed under a data key of its own, and tells how many there are;
/// says which had not been sent before.
pub async fn keep<'a>(
    conn: &mut PgConnection,
    context: &Context,
    keys: &Keys,
    (department, region): (Department, RegionCode),
    warnings: &'a [Warning],
) -> Result<Vec<&'a Warning>, Error> {
    let new = insert(conn, context, keys, (department, region), warnings).await?;
    if !new.is_empty() {
        let event = published::signals::warnings_received(context, department, region, new.len());
        log::append(conn, context, &[event]).await?;
    }
    Ok(new)
}

async fn insert<'a>(
    conn: &mut PgConnection,
    context: &Context,
    keys: &Keys,
    (department, region): (Department, RegionCode),
    warnings: &'a [Warning],
) -> Result<Vec<&'a Warning>, Error> {
    let ids: Vec<Uuid> = warnings.iter().map(|warning| warning.id.0).collect();
    let references: Vec<&str> = warnings.iter().map(|warning| warning.reference.as_str()).collect();
    let causes: Vec<&str> = warnings.iter().map(|warning| warning.cause.name()).collect();
    let days: Vec<NaiveDate> = warnings.iter().map(|warning| warning.occurred_on).collect();
    let indexes: Vec<Hash> = warnings.iter().map(|warning| index(keys, warning)).collect();
    let mut data_keys = Vec::with_capacity(warnings.len());
    let mut sealed = Vec::with_capacity(warnings.len());
    for warning in warnings {
        let (data_key, id_number) = seal(keys, warning)?;
        data_keys.push(data_key);
        sealed.push(id_number);
    }
    let new: HashSet<Uuid> = sqlx::query_scalar!(
        r#"
        INSERT INTO warning
            (warning_id, region_code, department, reference, cause, occurred_on, data_key, sealed, id_index, record_time)
        SELECT warning_id, $1, $2, reference, cause, occurred_on, data_key, sealed, id_index, $3
        FROM unnest($4::uuid[], $5::text[], $6::text[], $7::date[], $8::bytea[], $9::bytea[], $10::uuid[])
            AS sent (warning_id, reference, cause, occurred_on, data_key, sealed, id_index)
        ORDER BY reference
        ON CONFLICT ON CONSTRAINT warning_once DO NOTHING
        RETURNING warning_id
        "#,
        region.number(),
        department.name(),
        context.now,
        &ids,
        &references as &[&str],
        &causes as &[&str],
        &days,
        &data_keys,
        &sealed,
        &indexes,
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .collect();
    Ok(warnings.iter().filter(|warning| new.contains(&warning.id.0)).collect())
}

fn seal(keys: &Keys, warning: &Warning) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let row = warning.id.0.as_bytes();
    let (key, wrapped) = keys.masters.create(row, KeyVersion::FIRST)?;
    let place = Place { table: "warning", column: "sealed", row };
    Ok((wrapped, key.seal_text(place, warning.id_number.text().expose_secret())?))
}

fn index(keys: &Keys, warning: &Warning) -> Hash {
    keys.of_id_number(warning.id_number.text().expose_secret())
}

/// Makes those of a department's new warnings signals whose person is registered where the transaction sees it.
pub async fn match_within(
    conn: &mut PgConnection,
    context: &Context,
    keys: &Keys,
    department: Department,
    new: &[&Warning],
) -> Result<(), Error> {
    let indexes: Vec<Hash> = new.iter().map(|warning| index(keys, warning)).collect();
    let people = registered(conn, &indexes).await?;
    let mut matched = Vec::new();
    for (warning, index) in new.iter().zip(&indexes) {
        let Some((household, region)) = people.get(index) else { continue };
        let origin = Origin::Warning(department);
        let warning = Unmatched { id: warning.id, cause: warning.cause, origin, occurred_on: warning.occurred_on };
        matched.push((warning.id, warning.report(*household, *region)));
    }
    settle(conn, context, matched).await
}

/// The households of people, locked. Of two in which a person is registered, one is as good as the other.
async fn registered(
    conn: &mut PgConnection,
    indexes: &[Hash],
) -> Result<HashMap<Hash, (HouseholdId, RegionCode)>, Error> {
    let members = sqlx::query!(
        r#"
        SELECT member.id_index, min(member.household_id::text)::uuid AS "household_id!"
        FROM member
            JOIN household USING (household_id)
        WHERE member.id_index = ANY($1) AND member.left_on IS NULL AND household.merged_into IS NULL
        GROUP BY member.id_index
        "#,
        indexes,
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<HouseholdId> = members.iter().map(|member| HouseholdId(member.household_id)).collect();
    let homes = households::lock(conn, &ids).await?;
    let mut people = HashMap::new();
    for member in members {
        let home = homes.get(&HouseholdId(member.household_id)).filter(|head| head.merged_into.is_none());
        if let Some(home) = home {
            people.insert(member.id_index, (home.id, home.region));
        }
    }
    Ok(people)
}

/// Lets warnings that were kept find those who belong to a locked household.
pub async fn warnings_match_members(
    conn: &mut PgConnection,
    context: &Context,
    keys: &Keys,
    household: &Household,
) -> Result<(), Error> {
    let index = |member: &Member| keys.of_id_number(member.personal.id_number.expose_secret());
    let people: Vec<_> = household.present().map(|member| (index(member), household.id, household.region)).collect();
    warnings_match(conn, context, &people).await
}

/// Lets warnings that were kept find their person among those who were registered in locked households.
pub async fn warnings_match(
    conn: &mut PgConnection,
    context: &Context,
    people: &[(Hash, HouseholdId, RegionCode)],
) -> Result<(), Error> {
    if people.is_empty() {
        return Ok(());
    }
    hold_warnings_off(conn).await?;
    // Warnings are those of a department's whole region, which a village does not see.
    Scope::EVERYWHERE.set(conn).await?;
    let matched = waiting_for(conn, people).await?;
    settle(conn, context, matched).await?;
    Scope::range(context.regions).set(conn).await?;
    Ok(())
}

/// Warnings about people, locked, whose senders' regions hold the people's villages.
async fn waiting_for(
    conn: &mut PgConnection,
    people: &[(Hash, HouseholdId, RegionCode)],
) -> Result<Vec<(WarningId, Report)>, Error> {
    let asked: Vec<Hash> = people.iter().map(|(index, ..)| *index).collect();
    let rows = sqlx::query!(
        r#"
        SELECT warning_id, region_code, department, cause, occurred_on, id_index
        FROM warning
        WHERE id_index = ANY($1) AND signal_id IS NULL
        ORDER BY warning_id
        FOR UPDATE
        "#,
        &asked,
    )
    .fetch_all(conn)
    .await?;
    let mut matched = Vec::new();
    for row in rows {
        let sender = region(row.region_code)?;
        let is_meant =
            |(index, _, home): &&(Hash, HouseholdId, RegionCode)| row.id_index == *index && sender.contains(*home);
        let Some((_, household, home)) = people.iter().find(is_meant) else { continue };
        let warning = Unmatched {
            id: WarningId(row.warning_id),
            cause: named(Risk::by_name(&row.cause), &row.cause)?,
            origin: Origin::Warning(named(Department::by_name(&row.department), &row.department)?),
            occurred_on: row.occurred_on,
        };
        matched.push((warning.id, warning.report(*household, *home)));
    }
    Ok(matched)
}

/// Raises signals, and remembers which warning led to which.
async fn settle(conn: &mut PgConnection, context: &Context, matched: Vec<(WarningId, Report)>) -> Result<(), Error> {
    let (warnings, reports): (Vec<WarningId>, Vec<Report>) = matched.into_iter().unzip();
    let raised = raise(conn, context, &reports).await?;
    let signal_of: BTreeMap<Uuid, Uuid> =
        warnings.iter().zip(&raised).map(|(warning, Raised { signal, .. })| (warning.0, signal.0)).collect();
    let (warnings, signals): (Vec<Uuid>, Vec<Uuid>) = signal_of.into_iter().unzip();
    sqlx::query!(
        r#"
        UPDATE warning
        SET signal_id = matched.signal_id
        FROM unnest($1::uuid[], $2::uuid[]) AS matched (warning_id, signal_id)
        WHERE warning.warning_id = matched.warning_id
        "#,
        &warnings,
        &signals,
    )
    .execute(conn)
    .await?;
    Ok(())
}
