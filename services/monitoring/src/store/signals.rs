//! Signals.

use sqlx::PgConnection;
use tongxin_platform::{region::RegionCode, request::Context};

use crate::{
    domain::{HouseholdId, household::Move},
    error::Error,
};

/// Takes what belongs to a household that moves along.
pub async fn move_to(conn: &mut PgConnection, _: &Context, moved: &Move) -> Result<(), Error> {
    sqlx::query!("UPDATE signal SET region_code = $2 WHERE household_id = $1", moved.household.0, moved.to.number())
        .execute(conn)
        .await?;
    Ok(())
}

/// Lets warnings that were kept find their person among those who were registered.
pub async fn warnings_match(
    _: &mut PgConnection,
    _: &Context,
    _: &[([u8; 16], HouseholdId, RegionCode)],
) -> Result<(), Error> {
    Ok(())
}
