//! Checks the households of a region by all data-quality rules, in parts.

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

/// Number of households that are checked in one transaction.
const PART: i64 = 1_000;

/// A check in progress. It can be repeated at any time, so it needs no idempotency key.
pub struct Check {
    pool: PgPool,
    reader: Reader,
    today: NaiveDate,
    /// The caller's regions.
    sees: RegionRange,
}

/// The result of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Number of households that were checked.
    pub households: usize,
    /// Number of defects found, without those that involve a household outside the caller's regions.
    pub defects: usize,
}

impl Check {
    /// A check of a region as of a day, for a caller who sees a range of regions.
    #[must_use]
    pub fn new(pool: PgPool, region: RegionCode, today: NaiveDate, sees: RegionRange) -> Self {
        Self { pool, reader: Reader::new(region, today), today, sees }
    }

    /// Checks the next households; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Checked>, Error> {
        // Whether a person is registered twice does not depend on the caller.
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
