//! Profiles: what rules ask about households, one narrow row each, written together with its sources.

mod filter;
mod read;
mod snapshot;

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::region::RegionCode;
use uuid::Uuid;

pub use filter::Filter;
pub use read::{circumstances, find, look_over, villages};
pub use snapshot::{Snapshot, snapshot, take_time};

use crate::{
    domain::{
        HouseholdId,
        household::{Household, Move, SocialSupport},
        profile::{Composition, ELDERLY, elderly_rises_on},
        risk::Risk,
    },
    error::Error,
};

/// The part of a profile that is written when a household is registered or changed.
#[derive(Debug, Clone, Copy)]
pub struct NewProfile {
    household: HouseholdId,
    region: RegionCode,
    composition: Composition,
    elderly_rises_on: Option<NaiveDate>,
    lifted_from_poverty: bool,
    support: SocialSupport,
}

impl NewProfile {
    /// A household's part as of a day.
    #[must_use]
    pub fn of(household: &Household, day: NaiveDate) -> Self {
        Self {
            household: household.id,
            region: household.region,
            composition: Composition::of(household, day),
            elderly_rises_on: elderly_rises_on(household, day),
            lifted_from_poverty: household.lifted_from_poverty,
            support: household.support,
        }
    }
}

/// Upserts the composition and statement of some households, all different. An existing profile keeps its village and
/// whether it is monitored: a move and a case set these.
pub async fn set(conn: &mut PgConnection, profiles: &[NewProfile]) -> Result<(), Error> {
    let ids: Vec<Uuid> = profiles.iter().map(|profile| profile.household.0).collect();
    let regions: Vec<i64> = profiles.iter().map(|profile| profile.region.number()).collect();
    let lifted: Vec<bool> = profiles.iter().map(|profile| profile.lifted_from_poverty).collect();
    let support: Vec<&str> = profiles.iter().map(|profile| profile.support.name()).collect();
    let rises_on: Vec<Option<NaiveDate>> = profiles.iter().map(|profile| profile.elderly_rises_on).collect();
    let counts = |count: fn(&Composition) -> i16| -> Vec<i16> {
        profiles.iter().map(|profile| count(&profile.composition)).collect()
    };
    sqlx::query!(
        r#"
        INSERT INTO profile
            (household_id, region_code, lifted_from_poverty, support, monitored, persons, labourers, students,
             children_out_of_school, elderly, disabled, seriously_ill, chronically_ill, workers, uninsured,
             elderly_rises_on)
        SELECT unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::boolean[]), unnest($4::text[]), false,
               unnest($5::smallint[]), unnest($6::smallint[]), unnest($7::smallint[]), unnest($8::smallint[]),
               unnest($9::smallint[]), unnest($10::smallint[]), unnest($11::smallint[]), unnest($12::smallint[]),
               unnest($13::smallint[]), unnest($14::smallint[]), unnest($15::date[])
        ON CONFLICT (household_id) DO UPDATE
        SET lifted_from_poverty = excluded.lifted_from_poverty,
            support = excluded.support,
            persons = excluded.persons,
            labourers = excluded.labourers,
            students = excluded.students,
            children_out_of_school = excluded.children_out_of_school,
            elderly = excluded.elderly,
            disabled = excluded.disabled,
            seriously_ill = excluded.seriously_ill,
            chronically_ill = excluded.chronically_ill,
            workers = excluded.workers,
            uninsured = excluded.uninsured,
            elderly_rises_on = excluded.elderly_rises_on
        "#,
        &ids,
        &regions,
        &lifted,
        &support as &[&str],
        &counts(|of| of.persons),
        &counts(|of| of.labourers),
        &counts(|of| of.students),
        &counts(|of| of.children_out_of_school),
        &counts(|of| of.elderly),
        &counts(|of| of.disabled),
        &counts(|of| of.seriously_ill),
        &counts(|of| of.chronically_ill),
        &counts(|of| of.workers),
        &counts(|of| of.uninsured),
        &rises_on as &[Option<NaiveDate>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Households of a region in which a member became elderly since they were counted. They are few, and found by the day:
/// for a condition on day and region together the planner expects so many rows that it would read all of the region.
pub async fn aged(conn: &mut PgConnection, within: RegionCode, today: NaiveDate) -> Result<Vec<HouseholdId>, Error> {
    let range = within.range();
    let ids = sqlx::query_scalar!(
        r#"
        SELECT household_id
        FROM profile
        WHERE elderly_rises_on > '-infinity' AND elderly_rises_on <= $3
            AND region_code + 0 >= $1 AND region_code + 0 < $2
        ORDER BY household_id
        "#,
        range.from,
        range.until,
        today,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(HouseholdId).collect())
}

/// The number of elderly members, for the households of a region in which a member became elderly since they were
/// counted.
pub async fn elderly(
    conn: &mut PgConnection,
    within: RegionCode,
    today: NaiveDate,
) -> Result<HashMap<HouseholdId, i16>, Error> {
    let range = within.range();
    let rows = sqlx::query!(
        r#"
        SELECT household_id,
               count(*) FILTER (WHERE (birth_date + make_interval(years => $4))::date <= $3)::smallint AS "elderly!"
        FROM profile
            JOIN member USING (household_id)
        WHERE elderly_rises_on > '-infinity' AND elderly_rises_on <= $3
            AND profile.region_code + 0 >= $1 AND profile.region_code + 0 < $2 AND left_on IS NULL
        GROUP BY household_id
        "#,
        range.from,
        range.until,
        today,
        ELDERLY,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (HouseholdId(row.household_id), row.elderly)).collect())
}

/// Recounts elderly members in those of some locked households in which a member became elderly.
pub async fn count_elderly(conn: &mut PgConnection, households: &[HouseholdId], today: NaiveDate) -> Result<(), Error> {
    let ids: Vec<Uuid> = households.iter().map(|household| household.0).collect();
    sqlx::query!(
        r#"
        UPDATE profile
        SET elderly = counted.elderly,
            elderly_rises_on = counted.rises_on
        FROM (
            SELECT household_id,
                   count(*) FILTER (WHERE turns_on <= $2)::smallint AS elderly,
                   min(turns_on) FILTER (WHERE turns_on > $2) AS rises_on
            FROM profile
                JOIN member USING (household_id),
                LATERAL (SELECT (birth_date + make_interval(years => $3))::date AS turns_on) AS age
            WHERE household_id = ANY($1) AND elderly_rises_on <= $2 AND left_on IS NULL
            GROUP BY household_id
        ) AS counted
        WHERE profile.household_id = counted.household_id
        "#,
        &ids,
        today,
        ELDERLY,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets whether a household is under monitoring.
pub async fn set_monitored(conn: &mut PgConnection, household: HouseholdId, monitored: bool) -> Result<(), Error> {
    sqlx::query!("UPDATE profile SET monitored = $2 WHERE household_id = $1", household.0, monitored)
        .execute(conn)
        .await?;
    Ok(())
}

/// Copies the newest observation of some households into their profiles again.
pub async fn refresh_newest(conn: &mut PgConnection, households: &[HouseholdId]) -> Result<(), Error> {
    let ids: Vec<Uuid> = households.iter().map(|household| household.0).collect();
    let risks: Vec<&str> = Risk::ALL.iter().map(|risk| risk.name()).collect();
    sqlx::query!(
        r#"
        UPDATE profile
        SET window_ends_on = newest.window_ends_on,
            wages = newest.wages,
            business = newest.business,
            property = newest.property,
            transfer = newest.transfer,
            business_expense = newest.business_expense,
            out_of_pocket = newest.out_of_pocket,
            insurance_received = newest.insurance_received,
            net_income = newest.net_income,
            per_capita_net_income = newest.per_capita_net_income,
            previous_per_capita_net_income = previous.per_capita_net_income,
            loss = newest.loss,
            schooling_guaranteed = newest.schooling_guaranteed,
            medical_guaranteed = newest.medical_guaranteed,
            housing_grade = newest.housing_grade,
            water_safe = newest.water_safe,
            shocks = newest.risks
        FROM unnest($1::uuid[]) AS asked (household_id)
            LEFT JOIN LATERAL (
                SELECT observation.*, hit.risks, hit.loss
                FROM observation,
                    LATERAL (
                        SELECT coalesce(bit_or(1 << array_position($2::text[], cause) - 1), 0) AS risks,
                               coalesce(sum(loss_fen), 0)::bigint AS loss
                        FROM jsonb_to_recordset(shocks) AS shock (cause text, loss_fen bigint)
                    ) AS hit
                WHERE observation.household_id = asked.household_id
                ORDER BY observation.window_ends_on DESC
                LIMIT 1
            ) AS newest ON true
            LEFT JOIN observation AS previous
                -- A year before the end of February is the end of February.
                ON previous.household_id = asked.household_id
                AND previous.window_ends_on = (newest.window_ends_on + 1 - interval '1 year')::date - 1
        WHERE profile.household_id = asked.household_id
        "#,
        &ids,
        &risks as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves the profile of a household to its new region.
pub async fn move_to(conn: &mut PgConnection, moved: &Move) -> Result<(), Error> {
    sqlx::query!("UPDATE profile SET region_code = $2 WHERE household_id = $1", moved.household.0, moved.to.number(),)
        .execute(conn)
        .await?;
    Ok(())
}
