//! Looks households up, and logs the look-up.

use sqlx::PgConnection;
use tongxin_platform::{
    limit::{self, Limited},
    region::RegionCode,
    register,
    request::{Command, Context},
};

use super::Policy;
use crate::{
    domain::household::Household,
    error::Error,
    store::households::{self, Index},
};

/// Looks households up by a member.
pub struct FindHouseholds {
    pub index: Index,
    /// The region of the request, if any.
    pub asked: Option<RegionCode>,
    /// The caller's region.
    pub own: RegionCode,
}

impl Command for FindHouseholds {
    type Policy = Policy;
    type Output = Vec<Household>;
    type Error = Error;

    /// The result is returned after the commit: without the event in the log nothing is returned.
    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Self::Output, Error> {
        limit::take(conn, context, Limited::LookUp).await?;
        if let Some(region) = self.asked {
            register::ensure(conn, region).await?;
        }
        let region = self.asked.unwrap_or(self.own);
        let found = households::search(conn, &policy.keys, self.index, region).await?;
        if found.is_empty() {
            // Guesses mostly find nothing, so a miss counts twice.
            limit::add(conn, context, Limited::LookUp, 1).await?;
        }
        households::state_looked_up(conn, context, (self.index.key(), region), found.len()).await?;
        Ok(found)
    }
}
