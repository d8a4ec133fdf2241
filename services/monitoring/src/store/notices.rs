//! Data for public notices.

use sqlx::PgConnection;

use crate::{domain::HouseholdId, error::Error};

/// Number of present members of a household.
pub async fn persons(conn: &mut PgConnection, household: HouseholdId) -> Result<i32, Error> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*)::integer AS "count!" FROM member WHERE household_id = $1 AND left_on IS NULL"#,
        household.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}
