//! Merges of two records of the same household.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{log, region::RegionCode, request::Context};
use uuid::Uuid;

use super::{households, keys::Keys, published};
use crate::{
    domain::{
        HouseholdId, MemberId, MergeId,
        household::Move,
        merge::{Merge, MergeRefused, Pair, Taken},
    },
    error::Error,
};

pub async fn find(conn: &mut PgConnection, id: MergeId) -> Result<Merge, Error> {
    let row = sqlx::query!(
        r#"
        SELECT kept_id, merged_id, merged_on, taken_members, new_members, taken_windows, taken_number, undone_on
        FROM merge
        WHERE merge_id = $1
        "#,
        id.0,
    )
    .fetch_optional(conn)
    .await?
    .ok_or(MergeRefused::NotFound)?;
    let pairs = row.taken_members.into_iter().zip(row.new_members);
    Ok(Merge {
        id,
        kept: HouseholdId(row.kept_id),
        merged: HouseholdId(row.merged_id),
        merged_on: row.merged_on,
        members: pairs.map(|(was, is)| Taken { was: MemberId(was), is: MemberId(is) }).collect(),
        windows: row.taken_windows,
        household_number: row.taken_number,
        undone_on: row.undone_on,
    })
}

/// Whether a household has an open case.
pub async fn has_open_case(conn: &mut PgConnection, household: HouseholdId) -> Result<bool, Error> {
    let open = sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT FROM cases WHERE household_id = $1 AND stage IN ('identifying', 'monitored', 'removing')
        ) AS "open!"
        "#,
        household.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(open)
}

/// Copies observations for windows that the kept household lacks, and returns these windows.
pub async fn take_observations(
    conn: &mut PgConnection,
    (kept, region): (HouseholdId, RegionCode),
    merged: HouseholdId,
) -> Result<Vec<NaiveDate>, Error> {
    let windows = sqlx::query_scalar!(
        r#"
        INSERT INTO observation
            (household_id, window_ends_on, region_code, persons, wages, business, property, transfer, business_expense,
             out_of_pocket, insurance_received, net_income, per_capita_net_income, schooling_guaranteed,
             medical_guaranteed, housing_grade, water_safe, shocks, record_time, version)
        SELECT $1, window_ends_on, $2, persons, wages, business, property, transfer, business_expense,
               out_of_pocket, insurance_received, net_income, per_capita_net_income, schooling_guaranteed,
               medical_guaranteed, housing_grade, water_safe, shocks, record_time, version
        FROM observation
        WHERE household_id = $3
        ORDER BY window_ends_on
        ON CONFLICT (household_id, window_ends_on) DO NOTHING
        RETURNING window_ends_on
        "#,
        kept.0,
        region.number(),
        merged.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(windows)
}

/// Deletes the observations that were copied.
async fn give_back_observations(conn: &mut PgConnection, merge: &Merge) -> Result<(), Error> {
    sqlx::query!(
        "DELETE FROM observation WHERE household_id = $1 AND window_ends_on = ANY($2)",
        merge.kept.0,
        &merge.windows,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes both records, the merge and its events. A merged record has no profile: no rule looks at it.
pub async fn save_merged(conn: &mut PgConnection, context: &Context, keys: &Keys, pair: &Pair) -> Result<(), Error> {
    let Pair { kept, merged, merge } = pair;
    // Releases the number of the merged record before the kept one takes it.
    households::write(conn, keys, merged).await?;
    households::write(conn, keys, kept).await?;
    sqlx::query!("DELETE FROM profile WHERE household_id = $1", merged.id.0).execute(&mut *conn).await?;
    let (was, is): (Vec<Uuid>, Vec<Uuid>) = merge.members.iter().map(|taken| (taken.was.0, taken.is.0)).unzip();
    sqlx::query!(
        r#"
        INSERT INTO merge
            (merge_id, region_code, kept_id, merged_id, merged_on, taken_members, new_members, taken_windows, taken_number)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        "#,
        merge.id.0,
        kept.region.number(),
        merge.kept.0,
        merge.merged.0,
        merge.merged_on,
        &was,
        &is,
        &merge.windows,
        merge.household_number,
    )
    .execute(&mut *conn)
    .await?;
    log::append(conn, context, &published::households::merged(pair)).await?;
    Ok(())
}

/// Writes both records after an undone merge, and its events.
pub async fn save_parted(
    conn: &mut PgConnection,
    context: &Context,
    keys: &Keys,
    (pair, undone_on): (&Pair, NaiveDate),
) -> Result<(), Error> {
    // Releases the number before the merged record takes it back.
    households::write(conn, keys, &pair.kept).await?;
    households::write(conn, keys, &pair.merged).await?;
    give_back_observations(conn, &pair.merge).await?;
    sqlx::query!("UPDATE merge SET undone_on = $2 WHERE merge_id = $1", pair.merge.id.0, undone_on)
        .execute(&mut *conn)
        .await?;
    log::append(conn, context, &published::households::parted(pair, undone_on)).await?;
    Ok(())
}

/// Moves the merges of a household to its new region.
pub async fn move_to(conn: &mut PgConnection, moved: &Move) -> Result<(), Error> {
    sqlx::query!("UPDATE merge SET region_code = $2 WHERE kept_id = $1", moved.household.0, moved.to.number())
        .execute(conn)
        .await?;
    Ok(())
}
