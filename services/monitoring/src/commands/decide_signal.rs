//! States what a signal was found to be.

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
    /// The signal.
    pub signal: SignalId,
    /// What it was found to be.
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
        // Whose it is never changes; where the household lives may, until it is locked.
        let household = signals::find(conn, self.signal).await?.household;
        let head = households::lock_head(conn, household).await?;
        signals::decide(conn, context, self.signal, &head, |signal| {
            at_version(signal.version, self.expected_version)?;
            Ok(signal.decide(self.decision, head.moved_on)?)
        })
        .await
    }
}
