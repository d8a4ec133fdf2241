//! Merges two records of the same household.

use sqlx::PgConnection;
use tongxin_platform::request::{Command, Context};

use super::{
    Policy, at_version,
    household_numbers::{may_ask_for_number, needs_another_number},
};
use crate::{
    domain::{
        HouseholdId, MemberId, MergeId,
        merge::{MergeRefused, Pair, Terms},
    },
    error::{Error, Refused},
    store::{
        households, match_queue, merges,
        profiles::{self, NewProfile},
    },
};

/// Merges a household into another.
pub struct MergeHouseholds {
    pub kept: HouseholdId,
    pub merged: HouseholdId,
    /// What the kept record takes over.
    pub terms: Terms,
    /// The version of the kept record that the caller saw; 0 skips the check.
    pub expected_version: i64,
}

impl Command for MergeHouseholds {
    type Policy = Policy;
    type Output = Pair;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Pair, Error> {
        let Self { kept, merged, terms, expected_version } = self;
        let named = |error| match error {
            Error::Refused(Refused::HouseholdNotFound(id)) => {
                Refused::HouseholdNotFound(id).at(if id == kept { "kept_id" } else { "merged_id" })
            }
            other => other,
        };
        let [head, other] = lock_both(conn, [kept, merged]).await.map_err(named)?;
        at_version(head.unmerged()?.version, expected_version)?;
        other.unmerged()?;
        if merges::has_open_case(conn, merged).await? {
            return Err(MergeRefused::HasCase.into());
        }
        let kept = households::find(conn, &policy.keys, kept).await?;
        let merged = households::find(conn, &policy.keys, merged).await?;
        let own_number = kept.household_number.clone();
        let new_member = || MemberId(context.new_id());
        let mut pair = kept.merge(merged, &terms, MergeId(context.new_id()), new_member, context.today())?;
        if pair.kept.household_number != own_number {
            may_ask_for_number(conn, context, pair.kept.household_number.as_deref()).await?;
        }
        if terms.observations {
            let kept = (pair.kept.id, pair.kept.region);
            pair.merge.windows = merges::take_observations(conn, kept, pair.merged.id).await?;
        }
        merges::save_merged(conn, context, &policy.keys, &pair).await.map_err(needs_another_number)?;
        profiles::set(conn, &[NewProfile::of(&pair.kept, context.today())]).await?;
        profiles::refresh_newest(conn, &[pair.kept.id]).await?;
        match_queue::add(conn, context, policy.keys.of_members(&pair.kept)).await?;
        Ok(pair)
    }
}

/// Locks two different households, in the order of their identifiers, which avoids deadlocks.
pub(super) async fn lock_both(
    conn: &mut PgConnection,
    [first, second]: [HouseholdId; 2],
) -> Result<[households::Head; 2], Error> {
    if first == second {
        return Err(MergeRefused::Same.into());
    }
    if second < first {
        let second = households::lock_head(conn, second).await?;
        return Ok([households::lock_head(conn, first).await?, second]);
    }
    Ok([households::lock_head(conn, first).await?, households::lock_head(conn, second).await?])
}
