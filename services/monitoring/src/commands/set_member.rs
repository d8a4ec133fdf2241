//! Adds or replaces a member of a household.

use secrecy::ExposeSecret as _;
use sqlx::PgConnection;
use tongxin_platform::request::{Command, Context};

use super::{
    Policy, at_version,
    restate_household::{Entered, restate},
};
use crate::{
    domain::{
        HouseholdId, MemberId,
        household::{Household, Whom},
        member::MemberDraft,
    },
    error::Error,
    store::{households, match_queue},
};

/// Adds or changes a member.
pub struct SetMember {
    pub household: HouseholdId,
    /// The member; `None` adds a new one.
    pub member: Option<MemberId>,
    pub draft: MemberDraft,
    /// The version of the household that the caller saw; 0 skips the check.
    pub expected_version: i64,
}

impl Command for SetMember {
    type Policy = Policy;
    type Output = Entered;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Entered, Error> {
        let head = households::lock_head(conn, self.household).await?.unmerged()?;
        at_version(head.version, self.expected_version)?;
        let household = households::find(conn, &policy.keys, self.household).await?;
        let whom = self.member.map_or_else(|| Whom::New(MemberId(context.new_id())), Whom::Known);
        let index = policy.keys.of_id_number(self.draft.id_number.text().expose_secret());
        let change = |household: Household| household.set_member(whom, self.draft, context.today());
        let entered = restate(conn, context, policy, household, change).await?;
        match_queue::add(conn, context, std::iter::once(index)).await?;
        Ok(entered)
    }
}
