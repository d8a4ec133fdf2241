//! Checks the households of a region by all data-quality rules, one part after the other.

use chrono::NaiveDate;
use sqlx::PgPool;
use tongxin_platform::{
    db::Scope,
    region::{RegionCode, RegionRange},
};

use crate::{
    domain::{HouseholdId, quality},
    error::Error,
    store::{
        defects::{self, Finding},
        dossiers::{self, Part, Reader},
    },
};

/// Households that are checked in one transaction.
const PART: i64 = 1_000;

/// A check that is under way. What it finds can be found again, so it needs no request to answer for it.
pub struct Check {
    pool: PgPool,
    reader: Reader,
    today: NaiveDate,
    /// What the caller sees.
    sees: RegionRange,
}

/// What a part of a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Households that were checked.
    pub households: usize,
    /// Defects that were found, but for those about a household that the caller does not see.
    pub defects: usize,
}

impl Check {
    /// Checks the households of a region as of a day, for somebody who sees a range of regions.
    #[must_use]
    pub fn new(pool: PgPool, region: RegionCode, today: NaiveDate, sees: RegionRange) -> Self {
        Self { pool, reader: Reader::new(region, today), today, sees }
    }

    /// Checks some more households; `None` when all were checked.
    pub async fn next(&mut self) -> Result<Option<Checked>, Error> {
        // Who is registered twice does not depend on who asks.
        let mut tx = Scope::EVERYWHERE.write_again(&self.pool).await?;
        let Part { households, dossiers } = self.reader.next(&mut tx, PART).await?;
        if households.is_empty() {
            tx.rollback().await?;
            return Ok(None);
        }
        let mut found: Vec<Finding> = Vec::new();
        for (household, dossier) in &dossiers {
            let finding = |rule_number| Finding { household: *household, rule_number, other: None };
            found.extend(quality::check(dossier).map(|rule| finding(rule.number)));
        }
        let is_of_two = |finding: &Finding| finding.rule_number == quality::REGISTERED_TWICE;
        let shared: Vec<HouseholdId> =
            found.iter().filter(|finding| is_of_two(finding)).map(|finding| finding.household).collect();
        let others = dossiers::nearest_others(&mut tx, &shared).await?;
        for finding in found.iter_mut().filter(|finding| is_of_two(finding)) {
            finding.other = others.get(&finding.household).copied();
        }
        defects::replace(&mut tx, &households, &found, self.today).await?;
        tx.commit().await?;
        let told = found.iter().filter(|finding| finding.other.is_none_or(|other| self.sees.contains(other)));
        Ok(Some(Checked { households: dossiers.len(), defects: told.count() }))
    }
}
