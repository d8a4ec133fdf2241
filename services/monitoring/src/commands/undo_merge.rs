//! Undoes a merge of two records.

use sqlx::PgConnection;
use tongxin_platform::request::{Command, Context};

use super::{
    Policy,
    household_numbers::{may_ask_for_number, needs_another_number},
    merge_households::lock_both,
};
use crate::{
    domain::{
        MergeId,
        merge::{Merge, Pair},
    },
    error::Error,
    store::{
        households, match_queue, merges,
        profiles::{self, NewProfile},
    },
};

/// Separates two records that were merged.
pub struct UndoMerge {
    pub merge: MergeId,
    /// A new number for the merged record, if its own was taken since.
    pub new_household_number: Option<String>,
}

impl Command for UndoMerge {
    type Policy = Policy;
    type Output = Merge;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Merge, Error> {
        let Merge { kept, merged, .. } = merges::find(conn, self.merge).await?;
        let [head, _] = lock_both(conn, [kept, merged]).await?;
        // It may have been undone before the lock was ours.
        let merge = merges::find(conn, self.merge).await?;
        if merge.undone_on.is_some() {
            return Ok(merge);
        }
        merge.check_reversible(context.today())?;
        head.unmerged()?;
        let pair = Pair {
            kept: households::find(conn, &policy.keys, kept).await?,
            merged: households::find(conn, &policy.keys, merged).await?,
            merge,
        };
        let mut pair = pair.part(context.today())?;
        pair.merged.renumber(self.new_household_number)?;
        may_ask_for_number(conn, context, pair.merged.household_number.as_deref()).await?;
        let saved = merges::save_parted(conn, context, &policy.keys, (&pair, context.today())).await;
        saved.map_err(needs_another_number)?;
        for household in [&pair.kept, &pair.merged] {
            profiles::set(conn, &[NewProfile::of(household, context.today())]).await?;
        }
        profiles::refresh_newest(conn, &[kept, merged]).await?;
        match_queue::add(conn, context, policy.keys.of_members(&pair.merged)).await?;
        Ok(pair.merge)
    }
}
