//! Changes what is stated of a household itself.

use sqlx::PgConnection;
use tongxin_platform::request::{Command, Context};

use super::{Policy, at_version};
use crate::{
    domain::{
        HouseholdId,
        household::{Household, Statement},
    },
    error::Error,
    store::{households, profiles},
};

/// States a household itself anew.
pub struct ChangeHousehold {
    /// The household.
    pub household: HouseholdId,
    /// What is stated.
    pub statement: Statement,
    /// The version that the caller saw; 0 skips the check.
    pub expected_version: i64,
}

impl Command for ChangeHousehold {
    type Policy = Policy;
    type Output = Household;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Household, Error> {
        let head = households::lock_head(conn, self.household).await?.unmerged()?;
        at_version(head.version, self.expected_version)?;
        let household = households::find(conn, &policy.keys, self.household).await?;
        let change = household.change(self.statement)?;
        let household = households::save(conn, context, &policy.keys, change).await?;
        profiles::set_composition(conn, &household, context.today()).await?;
        Ok(household)
    }
}
