//! Voids a pairing that was entered by mistake.

use sqlx::PgConnection;
use tongxin_platform::request::{Command, Context};

use super::{Policy, at_version};
use crate::{
    domain::{PairingId, pairing::Pairing},
    error::{Error, Refused},
    store::{activities, books, coverage_rules, locks, pairings},
};

/// Voids a pairing: it is kept, but counts as never in force.
pub struct VoidPairing {
    pub pairing: PairingId,
    pub reason: String,
    /// The version that the caller saw; 0 skips the check.
    pub expected_version: i64,
}

impl Command for VoidPairing {
    type Policy = Policy;
    type Output = Pairing;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Pairing, Error> {
        // The organisations, the region and the start of a pairing never change.
        let seen = pairings::find(conn, self.pairing).await?;
        let started = policy.check_date("starts_on", seen.draft.period.starts_on(), context);
        started.map_err(|error| error.at("pairing_id"))?;
        let (organisations, region) = ([seen.draft.supporter, seen.draft.recipient], seen.region);
        locks::organisations(conn, organisations).await?;
        coverage_rules::lock_coverage(conn, [region], &policy.coverage).await?;
        let pairing = pairings::find(conn, self.pairing).await?;
        at_version(pairing.version, self.expected_version)?;
        if pairing.is_voided() {
            return Ok(pairing);
        }
        let counted = activities::count(conn, pairing.id).await?;
        if counted > 0 {
            return Err(Refused::PairingHasActivities(counted).into());
        }
        // Counts must not depend on the caller.
        let load = async |conn: &mut PgConnection| books::load(conn, &organisations, &[region]).await;
        let changes = context.everywhere(conn, load).await?.strike(&pairing, &policy.coverage);
        let voided = pairing.voided(self.reason);
        pairings::save_voided(conn, context, &voided, &changes).await?;
        Ok(voided)
    }
}
