//! Records the collective income of a village in a year, or corrects it.

use sqlx::PgConnection;
use tongxin_platform::{
    region::RegionCode,
    register::{self, RegionLevel},
    request::{Command, Context},
};

use super::{Policy, at_version};
use crate::{
    domain::income::{Amounts, IncomeRefused, VillageIncome, last_day, tier_changes},
    error::Error,
    store::incomes,
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
        // Incomes of other years are compared, so all of the village's are held still.
        let village = register::lock(conn, region).await?;
        if village.level != RegionLevel::Village {
            return Err(IncomeRefused::NotAVillage(region).into());
        }
        let before = incomes::list(conn, region).await?;
        let version = before.iter().find(|income| income.year == year).map_or(0, |income| income.version);
        if version == 0 {
            village.open_on(last_day(year))?;
        }
        at_version(version, expected_version)?;
        let tiers = policy.income_tiers.above(year, amounts.total());
        let income = VillageIncome { region, year, amounts, tiers, version: version + 1 };
        let others = before.iter().filter(|income| income.year != year).cloned();
        let now: Vec<VillageIncome> = others.chain([income.clone()]).collect();
        incomes::save(conn, context, &income, &tier_changes(&before, &now)).await?;
        Ok(income)
    }
}
