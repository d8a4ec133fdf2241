//! Reads profiles in the form that rules use.

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::region::RegionCode;
use uuid::Uuid;

use super::Filter;
use crate::{
    domain::{
        HouseholdId,
        household::SocialSupport,
        observation::HousingGrade,
        profile::{Circumstances, Composition, Newest, Profile},
        risk::Risk,
        screening::Candidate,
    },
    error::Error,
    store::{named, region},
};

/// The columns of a row that count members.
macro_rules! composition {
    ($row:ident) => {
        Composition {
            persons: $row.persons,
            labourers: $row.labourers,
            students: $row.students,
            children_out_of_school: $row.children_out_of_school,
            elderly: $row.elderly,
            disabled: $row.disabled,
            seriously_ill: $row.seriously_ill,
            chronically_ill: $row.chronically_ill,
            workers: $row.workers,
            uninsured: $row.uninsured,
        }
    };
}

/// The circumstances of some households, whether observed or not.
pub async fn circumstances(
    conn: &mut PgConnection,
    asked: &[HouseholdId],
) -> Result<HashMap<HouseholdId, Circumstances>, Error> {
    let ids: Vec<Uuid> = asked.iter().map(|household| household.0).collect();
    let rows = sqlx::query!(
        r#"
        SELECT household_id, persons, labourers, students, children_out_of_school, elderly, disabled, seriously_ill,
               chronically_ill, workers, uninsured, lifted_from_poverty, support, monitored
        FROM profile
        WHERE household_id = ANY($1)
        "#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let mut households = HashMap::with_capacity(rows.len());
    for row in rows {
        let known = Circumstances {
            composition: composition!(row),
            lifted_from_poverty: row.lifted_from_poverty,
            support: named(SocialSupport::by_name(&row.support), &row.support)?,
            monitored: row.monitored,
        };
        households.insert(HouseholdId(row.household_id), known);
    }
    Ok(households)
}

/// The profiles of some households; those without an observation are missing.
pub async fn find(conn: &mut PgConnection, households: &[HouseholdId]) -> Result<Vec<Candidate>, Error> {
    let ids: Vec<Uuid> = households.iter().map(|household| household.0).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT household_id, region_code, persons, labourers, students, children_out_of_school, elderly, disabled,
               seriously_ill, chronically_ill, workers, uninsured, lifted_from_poverty, support, monitored,
               window_ends_on AS "window_ends_on!", wages AS "wages!", business AS "business!",
               property AS "property!", transfer AS "transfer!", business_expense AS "business_expense!",
               out_of_pocket AS "out_of_pocket!", insurance_received AS "insurance_received!",
               net_income AS "net_income!", per_capita_net_income AS "per_capita_net_income!",
               previous_per_capita_net_income, loss AS "loss!", schooling_guaranteed AS "schooling_guaranteed!",
               medical_guaranteed AS "medical_guaranteed!", housing_grade AS "housing_grade!",
               water_safe AS "water_safe!", shocks AS "shocks!"
        FROM profile
        WHERE household_id = ANY($1) AND window_ends_on IS NOT NULL
        "#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Candidate::try_from).collect()
}

/// The result of a filter over some villages.
#[derive(Debug)]
pub struct Look {
    /// Number of households whose newest window ended after the day.
    pub households: i64,
    /// Those that the rules have to judge.
    pub suspects: Vec<HouseholdId>,
}

/// Filters the households of some villages whose newest window ended after a day, leaving out those that no rule can
/// hit. Where a member became elderly by `day` and was not counted yet, the filter may be wrong: these stay.
pub async fn look_over(
    conn: &mut PgConnection,
    villages: &[RegionCode],
    after: NaiveDate,
    day: NaiveDate,
    filter: &Filter,
) -> Result<Look, Error> {
    let villages: Vec<i64> = villages.iter().map(|village| village.number()).collect();
    let look_over = sqlx::query_as(sqlx::AssertSqlSafe(filter.look_over())).bind(villages).bind(after).bind(day);
    // There are as many statements as rule sets, including simulated ones: not worth caching per connection.
    let (households, suspects): (i64, Vec<Uuid>) = look_over.persistent(false).fetch_one(conn).await?;
    Ok(Look { households, suspects: suspects.into_iter().map(HouseholdId).collect() })
}

/// The villages of a region that have households, by code.
pub async fn villages(conn: &mut PgConnection, within: RegionCode) -> Result<Vec<RegionCode>, Error> {
    let range = within.range();
    let villages = sqlx::query_scalar!(
        r#"
        WITH RECURSIVE village (code) AS (
            SELECT min(region_code) FROM profile WHERE region_code >= $1 AND region_code < $2
            UNION ALL
            SELECT (SELECT min(region_code) FROM profile WHERE region_code > village.code AND region_code < $2)
            FROM village
            WHERE village.code IS NOT NULL
        )
        SELECT code AS "code!" FROM village WHERE code IS NOT NULL
        "#,
        range.from,
        range.until,
    )
    .fetch_all(conn)
    .await?;
    villages.into_iter().map(region).collect()
}

#[expect(clippy::struct_excessive_bools, reason = "as the table has them")]
struct Row {
    household_id: Uuid,
    region_code: i64,
    persons: i16,
    labourers: i16,
    students: i16,
    children_out_of_school: i16,
    elderly: i16,
    disabled: i16,
    seriously_ill: i16,
    chronically_ill: i16,
    workers: i16,
    uninsured: i16,
    lifted_from_poverty: bool,
    support: String,
    monitored: bool,
    window_ends_on: NaiveDate,
    wages: i64,
    business: i64,
    property: i64,
    transfer: i64,
    business_expense: i64,
    out_of_pocket: i64,
    insurance_received: i64,
    net_income: i64,
    per_capita_net_income: i64,
    previous_per_capita_net_income: Option<i64>,
    loss: i64,
    schooling_guaranteed: bool,
    medical_guaranteed: bool,
    housing_grade: String,
    water_safe: bool,
    shocks: i32,
}

impl TryFrom<Row> for Candidate {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let composition = composition!(row);
        let newest = Newest {
            window_ends_on: row.window_ends_on,
            wages: row.wages,
            business: row.business,
            property: row.property,
            transfer: row.transfer,
            business_expense: row.business_expense,
            out_of_pocket: row.out_of_pocket,
            insurance_received: row.insurance_received,
            net_income: row.net_income,
            per_capita_net_income: row.per_capita_net_income,
            previous_per_capita_net_income: row.previous_per_capita_net_income,
            loss: row.loss,
            schooling_guaranteed: row.schooling_guaranteed,
            medical_guaranteed: row.medical_guaranteed,
            housing_grade: named(HousingGrade::by_name(&row.housing_grade), &row.housing_grade)?,
            water_safe: row.water_safe,
            shocks: Risk::ALL.iter().copied().filter(|risk| row.shocks & (1 << risk.index()) != 0).collect(),
        };
        let profile = Profile {
            composition,
            lifted_from_poverty: row.lifted_from_poverty,
            support: named(SocialSupport::by_name(&row.support), &row.support)?,
            monitored: row.monitored,
            newest,
        };
        Ok(Self { household: HouseholdId(row.household_id), region: region(row.region_code)?, profile })
    }
}
