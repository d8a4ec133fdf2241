//! Voids a joint activity that was entered by mistake.

use sqlx::PgConnection;
use tongxin_platform::request::{Command, Context};

use super::Policy;
use crate::{
    domain::{ActivityId, activity::Activity},
    error::Error,
    store::{activities, locks, pairings},
};

/// Voids a joint activity: it is kept, but counts as never held.
pub struct VoidActivity {
    pub activity: ActivityId,
    pub reason: String,
}

impl Command for VoidActivity {
    type Policy = Policy;
    type Output = Activity;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Activity, Error> {
        let seen = activities::find(conn, self.activity).await?;
        let held = policy.check_date("held_on", seen.draft.held_on, context);
        held.map_err(|error| error.at("activity_id"))?;
        let pairing = pairings::find(conn, seen.draft.pairing).await?;
        locks::organisations(conn, [pairing.draft.supporter, pairing.draft.recipient]).await?;
        let activity = activities::find(conn, self.activity).await?;
        if activity.is_voided() {
            return Ok(activity);
        }
        let voided = Activity { void_reason: self.reason, ..activity };
        activities::save_voided(conn, context, &voided).await?;
        Ok(voided)
    }
}
