//! Counts something.

use sqlx::PgConnection;
use tongxin_platform::{
    region::RegionCode,
    request::{Command, Context},
};

use super::Policy;
use crate::{
    domain::tally::{BelowZero, Tally},
    error::{Error, Refused},
    store::tallies,
};

/// What was counted.
pub struct CountDraft {
    /// The village.
    pub region: RegionCode,
    /// What is counted there.
    pub name: String,
    /// By how much the tally is raised.
    pub by: i64,
}

/// Counts something.
pub struct Count(pub CountDraft);

impl Command for Count {
    type Policy = Policy;
    type Output = Tally;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, _: &Policy) -> Result<Tally, Error> {
        let CountDraft { region, name, by } = self.0;
        let tally = tallies::lock(conn, region, name).await?;
        let reached = tally.reached;
        let change = tally.count(by).map_err(|BelowZero| Refused::BelowZero { reached, by })?;
        Ok(tallies::save(conn, context, change).await?)
    }
}
