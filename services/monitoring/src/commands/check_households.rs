//! Checks the households of a region by all data-quality rules, one part after the other.

use chrono::NaiveDate;
use sqlx::PgPool;
use tongxin_platform::{db::Scope, region::RegionCode};

use crate::{
    domain::{HouseholdId, quality},
    error::Error,
    store::{
        defects,
        dossiers::{Part, Reader},
    },
};

/// Households that are checked in one transaction.
const PART: i64 = 1_000;

/// A check that is under way. What it finds can be found again, so it needs no request to answer for it.
pub struct Check {
    pool: PgPool,
    reader: Reader,
    today: NaiveDate,
}

/// What a part of a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Households that were checked.
    pub households: usize,
    /// Defects that were found.
    pub defects: usize,
}

impl Check {
    /// Checks the households of a region as of a day.
    #[must_use]
    pub fn new(pool: PgPool, region: RegionCode, today: NaiveDate) -> Self {
        Self { pool, reader: Reader::new(region, today), today }
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
        let mut found: Vec<(HouseholdId, i16)> = Vec::new();
        for (household, dossier) in &dossiers {
            found.extend(quality::check(dossier).map(|rule| (*household, rule.number)));
        }
        defects::replace(&mut tx, &households, &found, self.today).await?;
        tx.commit().await?;
        Ok(Some(Checked { households: dossiers.len(), defects: found.len() }))
    }
}
