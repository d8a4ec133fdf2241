//! What every command about a household's number does.

use sqlx::PgConnection;
use tongxin_platform::{
    limit::{self, Limited},
    request::Context,
};

use crate::{
    domain::household::Why,
    error::{Error, Refused},
};

/// The answer reveals whether a number is taken elsewhere, so it counts against the limit of look-ups.
pub(super) async fn may_ask_for_number(
    conn: &mut PgConnection,
    context: &Context,
    number: Option<&str>,
) -> Result<(), Error> {
    if number.is_some() {
        limit::require(conn, context, Limited::LookUp).await?;
    }
    Ok(())
}

/// A conflict of the household's own number is reported for the field of the new one: the request has no field for the
/// former.
pub(super) fn needs_another_number(error: Error) -> Error {
    match &error {
        Error::Refused(Refused::Household(refused)) if matches!(refused.why, Why::NumberTaken) => {
            error.at("new_household_number")
        }
        _ => error,
    }
}
