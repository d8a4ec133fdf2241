//! Observations: what households earned and lacked.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};
use tongxin_platform::{import::ImportId, log, region::RegionCode, request::Context};
use uuid::Uuid;

use super::{named, published, region};
use crate::{
    domain::{
        HouseholdId,
        household::Move,
        observation::{HousingGrade, Observation, ObservationDraft, Shock},
        risk::{Disaster, Risk},
    },
    error::{Error, Refused},
};

/// An observation with its time of entry.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub household: HouseholdId,
    pub observation: Observation,
    /// When it was entered, or last corrected.
    pub record_time: DateTime<Utc>,
}

/// The households with given household numbers, as far as the transaction sees them, without merged ones. A number is
/// unique only within a county.
#[derive(Debug, Default)]
pub struct Numbered(HashMap<String, Vec<(HouseholdId, RegionCode)>>);

impl Numbered {
    /// The household in a county that has the number.
    #[must_use]
    pub fn in_county(&self, number: &str, county: RegionCode) -> Option<HouseholdId> {
        let homes = self.0.get(number)?;
        homes.iter().find(|(_, home)| county.contains(*home)).map(|(id, _)| *id)
    }

    /// The one household with a number, in a region or anywhere the transaction sees.
    ///
    /// # Errors
    /// If there is none, or several.
    pub fn one(&self, number: &str, within: Option<RegionCode>) -> Result<HouseholdId, Error> {
        let is_meant = |home: &RegionCode| within.is_none_or(|within| within.contains(*home));
        let mut meant = self.0.get(number).into_iter().flatten().filter(|(_, home)| is_meant(home));
        match (meant.next(), meant.next()) {
            (Some((id, _)), None) => Ok(*id),
            (None, _) => Err(Refused::HouseholdNumberNotFound.into()),
            (Some(_), Some(_)) => Err(Refused::HouseholdNumberAmbiguous.into()),
        }
    }
}

/// Looks households up by their numbers.
pub async fn households_of_numbers(conn: &mut PgConnection, numbers: &[String]) -> Result<Numbered, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT household_number AS "number!", household_id, region_code
        FROM household
        WHERE household_number = ANY($1) AND merged_into IS NULL
        "#,
        numbers,
    )
    .fetch_all(conn)
    .await?;
    let mut numbered = Numbered::default();
    for row in rows {
        let home = (HouseholdId(row.household_id), region(row.region_code)?);
        numbered.0.entry(row.number).or_default().push(home);
    }
    Ok(numbered)
}

/// Maximum number of observations in a list: ten years, month by month.
const MOST_LISTED: i64 = 120;

/// The observations of a household, newest window first.
pub async fn list(conn: &mut PgConnection, household: HouseholdId) -> Result<Vec<Recorded>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT household_id, window_ends_on, persons, wages, business, property, transfer, business_expense,
               out_of_pocket, insurance_received, schooling_guaranteed, medical_guaranteed, housing_grade, water_safe,
               shocks AS "shocks: Json<Vec<KeptShock>>", record_time, version
        FROM observation
        WHERE household_id = $1
        ORDER BY window_ends_on DESC
        LIMIT $2
        "#,
        household.0,
        MOST_LISTED,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Recorded::try_from).collect()
}

/// The observations of some windows.
pub async fn find_many(
    conn: &mut PgConnection,
    windows: &[(HouseholdId, NaiveDate)],
) -> Result<BTreeMap<(HouseholdId, NaiveDate), Observation>, Error> {
    let households: Vec<Uuid> = windows.iter().map(|(household, _)| household.0).collect();
    let days: Vec<NaiveDate> = windows.iter().map(|(_, day)| *day).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT observation.household_id, observation.window_ends_on, persons, wages, business, property, transfer,
               business_expense, out_of_pocket, insurance_received, schooling_guaranteed, medical_guaranteed,
               housing_grade, water_safe, shocks AS "shocks: Json<Vec<KeptShock>>", record_time, version
        FROM unnest($1::uuid[], $2::date[]) AS asked (household, ends_on)
            JOIN observation ON household_id = asked.household AND window_ends_on = asked.ends_on
        "#,
        &households,
        &days,
    )
    .fetch_all(conn)
    .await?;
    let read = |row: Row| {
        let Recorded { household, observation, .. } = row.try_into()?;
        Ok(((household, observation.stated.window_ends_on), observation))
    };
    rows.into_iter().map(read).collect()
}

/// An observation of a household in a village.
pub type OfHousehold = (HouseholdId, RegionCode, Observation);

/// Writes an observation over the one of its window, and its event. The household is locked.
pub async fn save(conn: &mut PgConnection, context: &Context, of: OfHousehold) -> Result<Recorded, Error> {
    let event = published::observations::recorded(&of);
    write(conn, context, std::slice::from_ref(&of)).await?;
    log::append(conn, context, &[event]).await?;
    let (household, _, observation) = of;
    Ok(Recorded { household, observation, record_time: context.now })
}

/// Writes observations of different windows over existing ones, and their events. The households and the import are
/// locked.
pub async fn save_imported(
    conn: &mut PgConnection,
    context: &Context,
    import: ImportId,
    observations: &[OfHousehold],
) -> Result<(), Error> {
    write(conn, context, observations).await?;
    let events = published::observations::imported(import, observations, context);
    Ok(log::append(conn, context, &events).await?)
}

async fn write(conn: &mut PgConnection, context: &Context, observations: &[OfHousehold]) -> Result<(), Error> {
    let households: Vec<Uuid> = observations.iter().map(|(household, ..)| household.0).collect();
    let regions: Vec<i64> = observations.iter().map(|(_, region, _)| region.number()).collect();
    let windows: Vec<NaiveDate> = observations.iter().map(|(.., one)| one.stated.window_ends_on).collect();
    let persons: Vec<i16> = observations.iter().map(|(.., one)| one.persons).collect();
    let amounts = |amount: fn(&Observation) -> i64| -> Vec<i64> {
        observations.iter().map(|(.., observation)| amount(observation)).collect()
    };
    let flags = |flag: fn(&ObservationDraft) -> bool| -> Vec<bool> {
        observations.iter().map(|(.., observation)| flag(&observation.stated)).collect()
    };
    let grades: Vec<&str> = observations.iter().map(|(.., one)| one.stated.housing_grade.name()).collect();
    let shocks = observations.iter().map(|(.., one)| Json(one.stated.shocks.iter().map(KeptShock::from).collect()));
    let shocks: Vec<Json<Vec<KeptShock>>> = shocks.collect();
    sqlx::query!(
        r#"
        INSERT INTO observation
            (household_id, region_code, window_ends_on, persons, wages, business, property, transfer, business_expense,
             out_of_pocket, insurance_received, net_income, per_capita_net_income, schooling_guaranteed,
             medical_guaranteed, water_safe, housing_grade, shocks, version, record_time)
        SELECT unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::date[]), unnest($4::smallint[]),
               unnest($5::bigint[]), unnest($6::bigint[]), unnest($7::bigint[]), unnest($8::bigint[]),
               unnest($9::bigint[]), unnest($10::bigint[]), unnest($11::bigint[]), unnest($12::bigint[]),
               unnest($13::bigint[]), unnest($14::boolean[]), unnest($15::boolean[]), unnest($16::boolean[]),
               unnest($17::text[]), unnest($18::jsonb[]), unnest($19::bigint[]), $20
        ON CONFLICT (household_id, window_ends_on) DO UPDATE
        SET persons = excluded.persons,
            wages = excluded.wages,
            business = excluded.business,
            property = excluded.property,
            transfer = excluded.transfer,
            business_expense = excluded.business_expense,
            out_of_pocket = excluded.out_of_pocket,
            insurance_received = excluded.insurance_received,
            net_income = excluded.net_income,
            per_capita_net_income = excluded.per_capita_net_income,
            schooling_guaranteed = excluded.schooling_guaranteed,
            medical_guaranteed = excluded.medical_guaranteed,
            water_safe = excluded.water_safe,
            housing_grade = excluded.housing_grade,
            shocks = excluded.shocks,
            version = excluded.version,
            record_time = excluded.record_time
        "#,
        &households,
        &regions,
        &windows,
        &persons,
        &amounts(|one| one.stated.wages),
        &amounts(|one| one.stated.business),
        &amounts(|one| one.stated.property),
        &amounts(|one| one.stated.transfer),
        &amounts(|one| one.stated.business_expense),
        &amounts(|one| one.stated.out_of_pocket),
        &amounts(|one| one.stated.insurance_received),
        &amounts(|one| one.stated.net_income()),
        &amounts(Observation::per_capita_net_income),
        &flags(|stated| stated.schooling_guaranteed),
        &flags(|stated| stated.medical_guaranteed),
        &flags(|stated| stated.water_safe),
        &grades as &[&str],
        &shocks as &[Json<Vec<KeptShock>>],
        &amounts(|one| one.version),
        context.now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves the observations of a household to its new region.
pub async fn move_to(conn: &mut PgConnection, moved: &Move) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE observation SET region_code = $2 WHERE household_id = $1",
        moved.household.0,
        moved.to.number(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A shock as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeptShock {
    cause: String,
    disaster: Option<String>,
    loss_fen: i64,
}

impl From<&Shock> for KeptShock {
    fn from(shock: &Shock) -> Self {
        Self {
            cause: shock.cause.name().to_owned(),
            disaster: shock.disaster.map(|disaster| disaster.name().to_owned()),
            loss_fen: shock.loss_fen,
        }
    }
}

impl TryFrom<KeptShock> for Shock {
    type Error = Error;

    fn try_from(kept: KeptShock) -> Result<Self, Error> {
        let disaster = |name: String| named(Disaster::by_name(&name), &name);
        Ok(Self {
            cause: named(Risk::by_name(&kept.cause), &kept.cause)?,
            disaster: kept.disaster.map(disaster).transpose()?,
            loss_fen: kept.loss_fen,
        })
    }
}

struct Row {
    household_id: Uuid,
    window_ends_on: NaiveDate,
    persons: i16,
    wages: i64,
    business: i64,
    property: i64,
    transfer: i64,
    business_expense: i64,
    out_of_pocket: i64,
    insurance_received: i64,
    schooling_guaranteed: bool,
    medical_guaranteed: bool,
    housing_grade: String,
    water_safe: bool,
    shocks: Json<Vec<KeptShock>>,
    record_time: DateTime<Utc>,
    version: i64,
}

impl TryFrom<Row> for Recorded {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let stated = ObservationDraft {
            window_ends_on: row.window_ends_on,
            wages: row.wages,
            business: row.business,
            property: row.property,
            transfer: row.transfer,
            business_expense: row.business_expense,
            out_of_pocket: row.out_of_pocket,
            insurance_received: row.insurance_received,
            schooling_guaranteed: row.schooling_guaranteed,
            medical_guaranteed: row.medical_guaranteed,
            housing_grade: named(HousingGrade::by_name(&row.housing_grade), &row.housing_grade)?,
            water_safe: row.water_safe,
            shocks: row.shocks.0.into_iter().map(Shock::try_from).collect::<Result<_, _>>()?,
        };
        Ok(Self {
            household: HouseholdId(row.household_id),
            observation: Observation { stated, persons: row.persons, version: row.version },
            record_time: row.record_time,
        })
    }
}
