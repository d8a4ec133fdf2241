//! Reveals the personal data of a household, and logs the reveal.

use sqlx::PgConnection;
use tongxin_platform::{
    limit::{self, Limited},
    request::{Command, Context},
};

use super::Policy;
use crate::{
    domain::{
        HouseholdId,
        household::{Household, RevealPurpose},
    },
    error::Error,
    store::households,
};

/// Reveals a household.
pub struct RevealHousehold {
    pub household: HouseholdId,
    pub purpose: RevealPurpose,
    /// Number of the file or order; may be empty.
    pub reference: String,
}

impl Command for RevealHousehold {
    type Policy = Policy;
    type Output = Household;
    type Error = Error;

    /// The result is returned after the commit: without the event in the log nothing is shown.
    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Household, Error> {
        limit::take(conn, context, Limited::Reveal).await?;
        let head = households::lock_head(conn, self.household).await?;
        households::state_revealed(conn, context, &head, (self.purpose, self.reference)).await?;
        households::find(conn, &policy.keys, self.household).await
    }
}
