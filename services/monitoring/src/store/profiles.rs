//! What rules ask about households: one narrow row for each, written with what it is made of.

use std::collections::HashMap;

use chrono::NaiveDate;
use futures::{Stream, TryStreamExt as _};
use sqlx::{PgConnection, PgPool};
use tongxin_platform::{
    db::{Scope, Transaction},
    region::RegionCode,
};
use uuid::Uuid;

use super::{named, region};
use crate::{
    domain::{
        HouseholdId,
        household::{Household, Move, SocialSupport},
        observation::HousingGrade,
        profile::{Composition, ELDERLY, Newest, Profile, Standing, elderly_rises_on},
        risk::Risk,
        screening::Candidate,
    },
    error::Error,
};

/// What is written of a household when it is registered or stated anew.
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
    /// A household as of a day.
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

/// States who belongs to each of some households, all different.
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
        SELECT id, region_code, lifted, support, false, persons, labourers, students,
               children_out_of_school, elderly, disabled, seriously_ill, chronically_ill, workers, uninsured,
               elderly_rises_on
        FROM unnest(
            $1::uuid[], $2::bigint[], $3::boolean[], $4::text[], $5::smallint[], $6::smallint[], $7::smallint[],
            $8::smallint[], $9::smallint[], $10::smallint[], $11::smallint[], $12::smallint[], $13::smallint[],
            $14::smallint[], $15::date[]
        ) AS new (
            id, region_code, lifted, support, persons, labourers, students,
            children_out_of_school, elderly, disabled, seriously_ill, chronically_ill, workers, uninsured,
            elderly_rises_on
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

/// Households of a region in which somebody became elderly since they were counted.
pub async fn aged(conn: &mut PgConnection, within: RegionCode, today: NaiveDate) -> Result<Vec<HouseholdId>, Error> {
    let range = within.range();
    let ids = sqlx::query_scalar!(
        r#"
        SELECT household_id
        FROM profile
        WHERE region_code >= $1 AND region_code < $2 AND elderly_rises_on <= $3
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

/// Counts anew who is elderly, in those of some locked households where somebody became it.
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

/// States whether a household is under monitoring.
pub async fn set_monitored(conn: &mut PgConnection, household: HouseholdId, monitored: bool) -> Result<(), Error> {
    sqlx::query!("UPDATE profile SET monitored = $2 WHERE household_id = $1", household.0, monitored)
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
pub async fn move_to(conn: &mut PgConnection, moved: &Move) -> Result<(), Error> {
    sqlx::query!("UPDATE profile SET region_code = $2 WHERE household_id = $1", moved.household.0, moved.to.number(),)
        .execute(conn)
        .await?;
    Ok(())
}

/// What some households are, whatever was observed of them.
pub async fn standings(
    conn: &mut PgConnection,
    households: &[HouseholdId],
) -> Result<HashMap<HouseholdId, Standing>, Error> {
    let ids: Vec<Uuid> = households.iter().map(|household| household.0).collect();
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
    let mut standings = HashMap::with_capacity(rows.len());
    for row in rows {
        let standing = Standing {
            composition: Composition {
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
            },
            lifted_from_poverty: row.lifted_from_poverty,
            support: named(SocialSupport::by_name(&row.support), &row.support)?,
            monitored: row.monitored,
        };
        standings.insert(HouseholdId(row.household_id), standing);
    }
    Ok(standings)
}

/// What is known of some households; those without an observation are missing.
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

/// Households of a village with an observation, streamed: however many there are, few are in memory.
pub fn stream(conn: &mut PgConnection, village: RegionCode) -> impl Stream<Item = Result<Candidate, Error>> {
    sqlx::query_as!(
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
        WHERE region_code = $1 AND window_ends_on IS NOT NULL
        "#,
        village.number(),
    )
    .fetch(conn)
    .map_err(Error::from)
    .and_then(|row| std::future::ready(Candidate::try_from(row)))
}

/// The villages of a region that have households, each a piece of work of its own.
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

/// Several transactions that read one state.
#[derive(Debug, Clone)]
pub struct Snapshot {
    scope: Scope,
    name: String,
}

/// Keeps the state that a transaction reads, for as long as that transaction lasts.
pub async fn snapshot(conn: &mut PgConnection, scope: Scope) -> Result<Snapshot, Error> {
    let name = sqlx::query_scalar!(r#"SELECT pg_export_snapshot() AS "name!""#).fetch_one(conn).await?;
    Ok(Snapshot { scope, name })
}

impl Snapshot {
    /// Begins one more transaction that reads this state, and may take its time.
    pub async fn read(&self, pool: &PgPool) -> Result<Transaction, Error> {
        let mut tx = self.scope.read(pool).await?;
        // Postgres names snapshots in digits and dashes.
        let statement = format!("SET TRANSACTION SNAPSHOT '{}'", self.name);
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut *tx).await?;
        take_time(&mut tx).await?;
        Ok(tx)
    }
}

/// Lets a transaction wait between rows for what is done with them.
pub async fn take_time(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!("SET LOCAL statement_timeout = '30min'").execute(&mut *conn).await?;
    sqlx::query!("SET LOCAL idle_in_transaction_session_timeout = '30min'").execute(conn).await?;
    Ok(())
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
