//! Records the collective income of a village in a year, or corrects it.

use sqlx::PgConnection;
use tongxin_platform::{
    region::RegionCode,
    request::{Command, Context},
};

use super::{Policy, at_version};
use crate::{
    domain::income::{Amounts, IncomeRefused, VillageIncome, last_day, tier_changes},
    error::Error,
    store::{incomes, regions},
};

/// Records a village's income.
pub struct RecordVillageIncome {
    pub region: RegionCode,
    pub year: i32,
    /// Amounts by kind.
    pub amounts: Amounts,
    /// The version that the caller saw; 0 skips the check.
    pub expected_version: i64,
}

impl Command for RecordVillageIncome {
    type Policy = Policy;
    type Output = VillageIncome;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, policy: &Policy) -> Result<VillageIncome, Error> {
        let Self { region, year, amounts, expected_version } = self;
        policy.check_date("year", last_day(year), context)?;
        // Incomes of other years are compared, so the whole aggregate is locked.
        if regions::lock_level(conn, region).await? != "village" {
            return Err(IncomeRefused::NotAVillage(region).into());
        }
        let before = incomes::list(conn, region).await?;
        let version = before.iter().find(|income| income.year == year).map_or(0, |income| income.version);
        at_version(version, expected_version)?;
        let tiers = policy.income_tiers.above(year, amounts.total());
        let income = VillageIncome { region, year, amounts, tiers, version: version + 1 };
        let others = before.iter().filter(|income| income.year != year).cloned();
        let now: Vec<VillageIncome> = others.chain([income.clone()]).collect();
        incomes::save(conn, context, &income, &tier_changes(&before, &now)).await?;
        Ok(income)
    }
}
