//! Days that differ from the weekly working pattern.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{log, region::RegionCode, request::Context};

use super::{published, region};
use crate::{
    domain::{calendar::Calendar, holiday::Holiday},
    error::Error,
};

/// Together with the year, the lock for changing its holidays.
const LOCK: i32 = 7_364;

/// Replaces the holidays of a province and year, and appends an event.
pub async fn replace(
    conn: &mut PgConnection,
    context: &Context,
    (province, year): (RegionCode, i32),
    holidays: &[Holiday],
) -> Result<(), Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1, $2)", LOCK, year).execute(&mut *conn).await?;
    sqlx::query!(
        "DELETE FROM holiday WHERE region_code = $1 AND extract(year FROM day) = $2::int",
        province.number(),
        year,
    )
    .execute(&mut *conn)
    .await?;
    let days: Vec<NaiveDate> = holidays.iter().map(|holiday| holiday.day).collect();
    let worked: Vec<bool> = holidays.iter().map(|holiday| holiday.worked).collect();
    let names: Vec<&str> = holidays.iter().map(|holiday| holiday.name.as_str()).collect();
    sqlx::query!(
        r#"
        INSERT INTO holiday (region_code, day, worked, name)
        SELECT $4, day, worked, name
        FROM unnest($1::date[], $2::boolean[], $3::text[]) AS stated (day, worked, name)
        "#,
        &days,
        &worked,
        &names as &[&str],
        province.number(),
    )
    .execute(&mut *conn)
    .await?;
    let event = published::rules::holidays_set(context, (province, year), days.len());
    Ok(log::append(conn, context, &[event]).await?)
}

/// The holidays of a province and year, by day.
pub async fn list(conn: &mut PgConnection, (province, year): (RegionCode, i32)) -> Result<Vec<Holiday>, Error> {
    let holidays = sqlx::query_as!(
        Holiday,
        r#"
        SELECT day, worked, name
        FROM holiday
        WHERE region_code = $1 AND extract(year FROM day) = $2::int
        ORDER BY day
        "#,
        province.number(),
        year,
    )
    .fetch_all(conn)
    .await?;
    Ok(holidays)
}

/// The working-day calendars of some provinces; every province has one.
pub async fn calendars(
    conn: &mut PgConnection,
    provinces: impl IntoIterator<Item = RegionCode>,
) -> Result<HashMap<RegionCode, Arc<Calendar>>, Error> {
    let mut exceptions: BTreeMap<i64, Vec<(NaiveDate, bool)>> =
        provinces.into_iter().map(|province| (province.number(), Vec::new())).collect();
    let asked: Vec<i64> = exceptions.keys().copied().collect();
    let stated = sqlx::query!("SELECT region_code, day, worked FROM holiday WHERE region_code = ANY($1)", &asked)
        .fetch_all(conn)
        .await?;
    for holiday in stated {
        exceptions.entry(holiday.region_code).or_default().push((holiday.day, holiday.worked));
    }
    exceptions.into_iter().map(|(province, days)| Ok((region(province)?, Arc::new(Calendar::new(days))))).collect()
}
