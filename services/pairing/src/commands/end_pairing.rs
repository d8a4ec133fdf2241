//! Ends a pairing.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::request::{Command, Context};

use super::{Policy, at_version};
use crate::{
    domain::{PairingId, pairing::Pairing},
    error::{Error, Refused},
    store::{activities, books, coverage_rules, locks, pairings},
};

/// Ends a pairing early, or one without an agreed end.
pub struct EndPairing {
    pub pairing: PairingId,
    /// First day no longer in force.
    pub ends_on: NaiveDate,
    pub reason: String,
    /// The version that the caller saw; 0 skips the check.
    pub expected_version: i64,
}

impl Command for EndPairing {
    type Policy = Policy;
    type Output = Pairing;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Pairing, Error> {
        policy.check_date("ends_on", self.ends_on, context)?;
        // The organisations and the region of a pairing never change; its end may, until it is locked.
        let seen = pairings::find(conn, self.pairing).await?;
        let (organisations, region) = ([seen.draft.supporter, seen.draft.recipient], seen.region);
        locks::organisations(conn, organisations).await?;
        coverage_rules::lock_coverage(conn, [region], &policy.coverage).await?;
        let pairing = pairings::find(conn, self.pairing).await?;
        at_version(pairing.version, self.expected_version)?;
        let ended = pairing.ended(self.ends_on, self.reason, context.today())?;
        if let Some(day) = activities::last_from(conn, pairing.id, self.ends_on).await? {
            return Err(Refused::ActivityAfterEnd(day).into());
        }
        // Counts must not depend on the caller.
        let load = async |conn: &mut PgConnection| books::load(conn, &organisations, &[region]).await;
        let changes = context.everywhere(conn, load).await?.replace(ended.clone(), &policy.coverage);
        pairings::save_ended(conn, context, &ended, &changes).await?;
        Ok(ended)
    }
}
