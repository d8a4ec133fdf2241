//! Common part of all changes of one household.

use sqlx::PgConnection;
use tongxin_platform::{change::Change, request::Context};

use super::Policy;
use crate::{
    domain::{
        household::{Household, HouseholdEvent, HouseholdRefused},
        quality::{self, Dossier, REGISTERED_TWICE},
    },
    error::Error,
    store::{
        dossiers, households,
        profiles::{self, NewProfile},
    },
};

/// A household as it was entered, and the numbers of the data-quality rules that warn of it.
pub struct Entered {
    pub household: Household,
    /// Numbers of the rules.
    pub warnings: Vec<i32>,
}

/// Changes a locked household, unless a data-quality rule refuses the result.
pub(super) async fn restate(
    conn: &mut PgConnection,
    context: &Context,
    policy: &Policy,
    household: Household,
    change: impl FnOnce(Household) -> Result<Change<Household, HouseholdEvent>, HouseholdRefused>,
) -> Result<Entered, Error> {
    let today = context.today();
    let before = Dossier::of_household(&household, today);
    let change = change(household)?;
    let warnings = quality::at_change(&before, &Dossier::of_household(&change.state, today))?;
    let household = households::save(conn, context, &policy.keys, change).await?;
    profiles::set(conn, &[NewProfile::of(&household, today)]).await?;
    let found_by = dossiers::found_by(conn, &[household.id]).await?;
    let twice = dossiers::registered_twice(conn, &found_by).await?;
    let warnings = with_twice(warnings, !twice.is_empty());
    Ok(Entered { household, warnings })
}

/// Adds the warning about a member who is registered in another household to the household's own.
pub(super) fn with_twice(mut warnings: Vec<i32>, twice: bool) -> Vec<i32> {
    if twice {
        warnings.push(REGISTERED_TWICE.into());
        warnings.sort_unstable();
    }
    warnings
}
