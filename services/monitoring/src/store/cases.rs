//! Cases.

use sqlx::PgConnection;
use tongxin_platform::request::Context;

use crate::{domain::household::Move, error::Error};

/// Takes what belongs to a household that moves along.
pub async fn move_to(conn: &mut PgConnection, _: &Context, moved: &Move) -> Result<(), Error> {
    sqlx::query!("UPDATE cases SET region_code = $2 WHERE household_id = $1", moved.household.0, moved.to.number())
        .execute(conn)
        .await?;
    Ok(())
}
