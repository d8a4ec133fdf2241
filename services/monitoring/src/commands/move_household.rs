//! Moves a household and all its records to another village.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{
    region::RegionCode,
    register,
    request::{Command, Context},
};

use super::{
    Policy, at_version,
    household_numbers::{may_ask_for_number, needs_another_number},
    register_household::check_level,
};
use crate::{
    domain::{
        HouseholdId,
        household::{Household, HouseholdEvent, Move},
    },
    error::Error,
    store::{cases, defects, households, match_queue, merges, observations, profiles, signals, verdicts},
};

/// Moves a household.
pub struct MoveHousehold {
    pub household: HouseholdId,
    /// The new village.
    pub to: RegionCode,
    /// First day on which it lives there.
    pub moved_on: NaiveDate,
    /// A new household number, if its own is taken there.
    pub new_household_number: Option<String>,
    /// The version that the caller saw; 0 skips the check.
    pub expected_version: i64,
}

impl Command for MoveHousehold {
    type Policy = Policy;
    type Output = Household;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<Household, Error> {
        policy.check_date("moved_on", self.moved_on, context)?;
        check_level(self.to)?;
        let head = households::lock_head(conn, self.household).await?.unmerged()?;
        at_version(head.version, self.expected_version)?;
        register::find(conn, self.to).await?.open_on(self.moved_on)?;
        let household = households::find(conn, &policy.keys, self.household).await?;
        let mut change = household.move_to(self.to, self.moved_on)?;
        if !change.events.is_empty() {
            change.state.renumber(self.new_household_number)?;
            may_ask_for_number(conn, context, change.state.household_number.as_deref()).await?;
        }
        let moves: Vec<Move> = change.events.iter().filter_map(moved).collect();
        let household = households::save(conn, context, &policy.keys, change).await.map_err(needs_another_number)?;
        for moved in &moves {
            take_along(conn, context, moved).await?;
        }
        if !moves.is_empty() {
            // Warnings whose senders' region it now lives in.
            match_queue::add(conn, context, policy.keys.of_members(&household)).await?;
        }
        Ok(household)
    }
}

fn moved(event: &HouseholdEvent) -> Option<Move> {
    match event {
        HouseholdEvent::Moved(moved) => Some(*moved),
        HouseholdEvent::Changed => None,
    }
}

/// Access follows at once: every row of the household has its village.
async fn take_along(conn: &mut PgConnection, context: &Context, moved: &Move) -> Result<(), Error> {
    profiles::move_to(conn, moved).await?;
    observations::move_to(conn, moved).await?;
    verdicts::move_to(conn, moved).await?;
    signals::move_to(conn, context, moved).await?;
    cases::move_to(conn, context, moved).await?;
    defects::move_to(conn, context, moved).await?;
    merges::move_to(conn, moved).await
}
