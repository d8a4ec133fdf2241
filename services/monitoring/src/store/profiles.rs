//! What rules ask about households: one narrow row for each, written with what it is made of.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{region::RegionCode, request::Context};
use uuid::Uuid;

use crate::{
    domain::{
        HouseholdId,
        household::{Household, Move, SocialSupport},
        profile::Composition,
        risk::Risk,
    },
    error::Error,
};

/// What is written of a household when it is registered: its village, its members in numbers, whether it was
/// lifted out of poverty, and its social support.
pub type NewProfile = (HouseholdId, RegionCode, Composition, bool, SocialSupport);

/// States who belongs to a household, as of a day.
pub async fn set_composition(conn: &mut PgConnection, household: &Household, day: NaiveDate) -> Result<(), Error> {
    let composition = Composition::of(household, day);
    let Household { id, region, lifted_from_poverty, support, .. } = household;
    add_many(conn, &[(*id, *region, composition, *lifted_from_poverty, *support)]).await
}

/// States who belongs to each of some households, all different.
pub async fn add_many(conn: &mut PgConnection, profiles: &[NewProfile]) -> Result<(), Error> {
    let ids: Vec<Uuid> = profiles.iter().map(|(id, ..)| id.0).collect();
    let regions: Vec<i64> = profiles.iter().map(|(_, region, ..)| region.number()).collect();
    let lifted: Vec<bool> = profiles.iter().map(|(.., lifted, _)| *lifted).collect();
    let support: Vec<&str> = profiles.iter().map(|(.., support)| support.name()).collect();
    let counts =
        |count: fn(&Composition) -> i16| -> Vec<i16> { profiles.iter().map(|(_, _, of, ..)| count(of)).collect() };
    sqlx::query!(
        r#"
        INSERT INTO profile
            (household_id, region_code, lifted_from_poverty, support, monitored, persons, labourers, students,
             children_out_of_school, elderly, disabled, seriously_ill, chronically_ill, workers, uninsured)
        SELECT id, region_code, lifted, support, false, persons, labourers, students,
               children_out_of_school, elderly, disabled, seriously_ill, chronically_ill, workers, uninsured
        FROM unnest(
            $1::uuid[], $2::bigint[], $3::boolean[], $4::text[], $5::smallint[], $6::smallint[], $7::smallint[],
            $8::smallint[], $9::smallint[], $10::smallint[], $11::smallint[], $12::smallint[], $13::smallint[],
            $14::smallint[]
        ) AS new (
            id, region_code, lifted, support, persons, labourers, students,
            children_out_of_school, elderly, disabled, seriously_ill, chronically_ill, workers, uninsured
        )
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
            uninsured = excluded.uninsured
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
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads the newest observation of each of some households anew.
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

/// Takes the profile of a household that moves along.
pub async fn move_to(conn: &mut PgConnection, _: &Context, moved: &Move) -> Result<(), Error> {
    sqlx::query!("UPDATE profile SET region_code = $2 WHERE household_id = $1", moved.household.0, moved.to.number(),)
        .execute(conn)
        .await?;
    Ok(())
}
