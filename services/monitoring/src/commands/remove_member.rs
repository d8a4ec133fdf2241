//! Removes a member from its household.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::request::{Command, Context};

use super::{
    Policy, at_version,
    restate_household::{Entered, restate},
};
use crate::{
    domain::{HouseholdId, MemberId},
    error::Error,
    store::households,
};

/// Records that a member left.
pub struct RemoveMember {
    pub household: HouseholdId,
    pub member: MemberId,
    /// First day on which the member no longer belongs to the household.
    pub left_on: NaiveDate,
    /// The version of the household that the caller saw; 0 skips the check.
    pub expected_version: i64,
}

impl Command for RemoveMember {
    type Policy = Policy;
    type Output = Entered;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Entered, Error> {
        policy.check_date("left_on", self.left_on, context)?;
        let head = households::lock_head(conn, self.household).await?.unmerged()?;
        at_version(head.version, self.expected_version)?;
        let household = households::find(conn, &policy.keys, self.household).await?;
        restate(conn, context, policy, household, |household| household.remove_member(self.member, self.left_on)).await
    }
}
