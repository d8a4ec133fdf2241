//! Decides a signal.

use sqlx::PgConnection;
use tongxin_platform::request::{Command, Context};

use super::{Policy, at_version};
use crate::{
    domain::{
        SignalId,
        signal::{Decision, Signal},
    },
    error::Error,
    store::{households, signals},
};

/// States what a signal was found to be.
pub struct DecideSignal {
    pub signal: SignalId,
    pub decision: Decision,
    /// The version that the caller saw; 0 skips the check.
    pub expected_version: i64,
}

impl Command for DecideSignal {
    type Policy = Policy;
    type Output = Signal;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Signal, Error> {
        policy.check_date("decided_on", self.decision.on, context)?;
        // The household of a signal never changes; its region may until the household is locked.
        let household = signals::find(conn, self.signal).await?.household;
        let head = households::lock_head(conn, household).await?;
        signals::decide(conn, context, self.signal, &head, |signal| {
            at_version(signal.version, self.expected_version)?;
            Ok(signal.decide(self.decision, head.moved_on)?)
        })
        .await
    }
}
