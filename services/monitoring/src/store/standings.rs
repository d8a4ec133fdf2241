//! How households stood on given days: by what had been observed by then, and by who belongs to them now.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::named;
use crate::{
    domain::{
        HouseholdId,
        case::Standing,
        household::SocialSupport,
        observation::HousingGrade,
        profile::{Composition, Newest, Profile},
        risk::Risk,
    },
    error::Error,
};

/// A household and a day.
pub type Asked = (HouseholdId, NaiveDate);

#[derive(Debug, serde::Deserialize)]
struct Shock {
    cause: String,
    loss_fen: i64,
}

/// Loads how households stood: who belongs to them, the newest observation whose window had ended, and the incomes
/// of all windows. Households that are not visible are missing.
pub async fn find(conn: &mut PgConnection, asked: &BTreeSet<Asked>) -> Result<HashMap<Asked, Standing>, Error> {
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let incomes = incomes(conn, asked).await?;
    let mut standings = profiles(conn, asked).await?;
    for ((household, _), standing) in &mut standings {
        standing.incomes = incomes.get(household).cloned().unwrap_or_default();
    }
    Ok(standings)
}

async fn profiles(conn: &mut PgConnection, asked: &BTreeSet<Asked>) -> Result<HashMap<Asked, Standing>, Error> {
    let households: Vec<Uuid> = asked.iter().map(|(household, _)| household.0).collect();
    let days: Vec<NaiveDate> = asked.iter().map(|(_, day)| *day).collect();
    let rows = sqlx::query!(
        r#"
        SELECT asked.household_id AS "household_id!", asked.day AS "day!",
               profile.persons, profile.labourers, profile.students, profile.children_out_of_school, profile.elderly,
               profile.disabled, profile.seriously_ill, profile.chronically_ill, profile.workers, profile.uninsured,
               profile.lifted_from_poverty, profile.support, profile.monitored,
               newest.window_ends_on AS "window_ends_on?", newest.wages AS "wages?", newest.business AS "business?",
               newest.property AS "property?", newest.transfer AS "transfer?",
               newest.business_expense AS "business_expense?", newest.out_of_pocket AS "out_of_pocket?",
               newest.insurance_received AS "insurance_received?", newest.net_income AS "net_income?",
               newest.per_capita_net_income AS "per_capita_net_income?",
               newest.schooling_guaranteed AS "schooling_guaranteed?",
               newest.medical_guaranteed AS "medical_guaranteed?", newest.housing_grade AS "housing_grade?",
               newest.water_safe AS "water_safe?", newest.shocks AS "shocks?: Json<Vec<Shock>>",
               previous.per_capita_net_income AS "previous_per_capita_net_income?"
        FROM unnest($1::uuid[], $2::date[]) AS asked (household_id, day)
        JOIN profile ON profile.household_id = asked.household_id
        LEFT JOIN LATERAL (
            SELECT *
            FROM observation
            WHERE observation.household_id = asked.household_id AND observation.window_ends_on <= asked.day
            ORDER BY observation.window_ends_on DESC
            LIMIT 1
        ) AS newest ON true
        LEFT JOIN observation AS previous
            ON previous.household_id = asked.household_id
            -- The last day of the same month a year before, in leap years too.
            AND previous.window_ends_on = (newest.window_ends_on + 1 - interval '1 year')::date - 1
        "#,
        &households,
        &days,
    )
    .fetch_all(conn)
    .await?;
    let mut standings = HashMap::new();
    for row in rows {
        let composition = Composition {
            persons: row.persons,
            labourers: row.labourers,
            students: row.students,
            children_out_of_school: row.children_out_of_school,
            elderly: row.elderly,
            disabled: row.disabled,
            seriously_ill: row.seriously_ill,
            chronically_ill: row.chronically_ill,
            workers: row.workers,
            uninsured: row.uninsured,
        };
        let newest = match row.window_ends_on {
            None => None,
            Some(window_ends_on) => {
                let Json(shocks) = stated(row.shocks)?;
                let grade = stated(row.housing_grade)?;
                let causes = shocks.iter().map(|shock| named(Risk::by_name(&shock.cause), &shock.cause));
                Some(Newest {
                    window_ends_on,
                    wages: stated(row.wages)?,
                    business: stated(row.business)?,
                    property: stated(row.property)?,
                    transfer: stated(row.transfer)?,
                    business_expense: stated(row.business_expense)?,
                    out_of_pocket: stated(row.out_of_pocket)?,
                    insurance_received: stated(row.insurance_received)?,
                    net_income: stated(row.net_income)?,
                    per_capita_net_income: stated(row.per_capita_net_income)?,
                    previous_per_capita_net_income: row.previous_per_capita_net_income,
                    loss: shocks.iter().map(|shock| shock.loss_fen).sum(),
                    schooling_guaranteed: stated(row.schooling_guaranteed)?,
                    medical_guaranteed: stated(row.medical_guaranteed)?,
                    housing_grade: named(HousingGrade::by_name(&grade), &grade)?,
                    water_safe: stated(row.water_safe)?,
                    shocks: causes.collect::<Result<_, Error>>()?,
                })
            }
        };
        let support = named(SocialSupport::by_name(&row.support), &row.support)?;
        let (lifted_from_poverty, monitored) = (row.lifted_from_poverty, row.monitored);
        let profile = newest.map(|newest| Profile { composition, lifted_from_poverty, support, monitored, newest });
        let standing = Standing { labourers: row.labourers, profile, incomes: Vec::new() };
        standings.insert((HouseholdId(row.household_id), row.day), standing);
    }
    Ok(standings)
}

/// A column of an observation that is there.
fn stated<T>(value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| Error::Corrupt("an observation that lacks a column".to_owned()))
}

async fn incomes(
    conn: &mut PgConnection,
    asked: &BTreeSet<Asked>,
) -> Result<HashMap<HouseholdId, Vec<(NaiveDate, i64)>>, Error> {
    let households: Vec<Uuid> = asked.iter().map(|(household, _)| household.0).collect();
    let rows = sqlx::query!(
        "SELECT household_id, window_ends_on, per_capita_net_income FROM observation WHERE household_id = ANY($1)",
        &households,
    )
    .fetch_all(conn)
    .await?;
    let mut incomes: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        let known = incomes.entry(HouseholdId(row.household_id)).or_default();
        known.push((row.window_ends_on, row.per_capita_net_income));
    }
    Ok(incomes)
}
