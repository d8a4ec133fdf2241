//! Days whose being worked differs from the weekly pattern.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{log, request::Context};

use super::published;
use crate::{
    domain::{calendar::Calendar, holiday::Holiday},
    error::Error,
};

/// With the year, the lock under which its holidays are stated.
const LOCK: i32 = 7_364;

/// States the holidays of a year in place of those stated before, and tells of it.
pub async fn replace(conn: &mut PgConnection, context: &Context, year: i32, holidays: &[Holiday]) -> Result<(), Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1, $2)", LOCK, year).execute(&mut *conn).await?;
    sqlx::query!("DELETE FROM holiday WHERE extract(year FROM day) = $1::int", year).execute(&mut *conn).await?;
    let days: Vec<NaiveDate> = holidays.iter().map(|holiday| holiday.day).collect();
    let worked: Vec<bool> = holidays.iter().map(|holiday| holiday.worked).collect();
    let names: Vec<&str> = holidays.iter().map(|holiday| holiday.name.as_str()).collect();
    sqlx::query!(
        "INSERT INTO holiday (day, worked, name) SELECT * FROM unnest($1::date[], $2::boolean[], $3::text[])",
        &days,
        &worked,
        &names as &[&str],
    )
    .execute(&mut *conn)
    .await?;
    let event = published::rules::holidays_set(context, year, days.len())?;
    Ok(log::append(conn, context, &[event]).await?)
}

/// The holidays of a year, in the order of the days.
pub async fn list(conn: &mut PgConnection, year: i32) -> Result<Vec<Holiday>, Error> {
    let holidays = sqlx::query_as!(
        Holiday,
        "SELECT day, worked, name FROM holiday WHERE extract(year FROM day) = $1::int ORDER BY day",
        year,
    )
    .fetch_all(conn)
    .await?;
    Ok(holidays)
}

/// Which days are worked.
pub async fn calendar(conn: &mut PgConnection) -> Result<Calendar, Error> {
    let exceptions = sqlx::query!("SELECT day, worked FROM holiday").fetch_all(conn).await?;
    Ok(Calendar::new(exceptions.into_iter().map(|exception| (exception.day, exception.worked))))
}
