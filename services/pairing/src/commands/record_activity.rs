//! Records a joint activity of a pairing.

use sqlx::PgConnection;
use tongxin_platform::request::{Command, Context};

use super::Policy;
use crate::{
    domain::{
        ActivityId,
        activity::{Activity, ActivityDraft},
    },
    error::Error,
    store::{activities, locks, pairings},
};

/// Records a joint activity.
pub struct RecordActivity(pub ActivityDraft);

impl Command for RecordActivity {
    type Policy = Policy;
    type Output = Activity;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Activity, Error> {
        policy.check_date("held_on", self.0.held_on, context)?;
        let seen = pairings::find(conn, self.0.pairing).await?;
        locks::organisations(conn, [seen.draft.supporter, seen.draft.recipient]).await?;
        let pairing = pairings::find(conn, self.0.pairing).await?;
        let activity = self.0.record(ActivityId(context.new_id()), &pairing)?;
        activities::add(conn, context, &activity).await?;
        Ok(activity)
    }
}
