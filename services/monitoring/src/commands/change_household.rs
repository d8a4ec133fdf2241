//! Changes the statement of a household.

use sqlx::PgConnection;
use tongxin_platform::request::{Command, Context};

use super::{
    Policy, at_version,
    household_numbers::may_ask_for_number,
    restate_household::{Entered, restate},
};
use crate::{
    domain::{HouseholdId, household::Statement},
    error::Error,
    store::households,
};

/// Replaces the statement of a household.
pub struct ChangeHousehold {
    pub household: HouseholdId,
    pub statement: Statement,
    /// The version that the caller saw; 0 skips the check.
    pub expected_version: i64,
}

impl Command for ChangeHousehold {
    type Policy = Policy;
    type Output = Entered;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Entered, Error> {
        let head = households::lock_head(conn, self.household).await?.unmerged()?;
        at_version(head.version, self.expected_version)?;
        let household = households::find(conn, &policy.keys, self.household).await?;
        let number = &self.statement.household_number;
        if *number != household.household_number {
            may_ask_for_number(conn, context, number.as_deref()).await?;
        }
        restate(conn, context, policy, household, |household| household.change(self.statement)).await
    }
}
