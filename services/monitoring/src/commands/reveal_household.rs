//! Shows what is personal of a household, and states in the log that it was shown.

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
    /// The household.
    pub household: HouseholdId,
    /// Why.
    pub purpose: RevealPurpose,
    /// Number of the file or order; may be empty.
    pub reference: String,
}

impl Command for RevealHousehold {
    type Policy = Policy;
    type Output = Household;
    type Error = Error;

    /// What it returns is shown after the commit: without the event in the log nothing is shown.
    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Household, Error> {
        limit::take(conn, context, Limited::Reveal).await?;
        let head = households::lock_head(conn, self.household).await?;
        households::state_revealed(conn, context, &head, (self.purpose, self.reference)).await?;
        households::find(conn, &policy.keys, self.household).await
    }
}
