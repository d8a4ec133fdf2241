//! Adopts the configured coverage rules, and publishes what they change.

use sqlx::PgPool;
use tongxin_platform::{db::Scope, request::Context};
use tracing::info;

use crate::{
    domain::coverage::CoverageRules,
    error::Error,
    store::{books, coverage_rules},
};

/// Recounts the coverage of every village if the rules have changed. Runs when the service starts.
pub async fn adopt_coverage_rules(pool: &PgPool, context: &Context, rules: &CoverageRules) -> Result<(), Error> {
    let mut tx = Scope::EVERYWHERE.write(pool).await?;
    let before = coverage_rules::lock(&mut tx).await?;
    if before.as_ref() == Some(rules) {
        return Ok(tx.rollback().await?);
    }
    let mut changes = Vec::new();
    if let Some(before) = before {
        let villages = coverage_rules::villages(&mut tx).await?;
        let book = books::load(&mut tx, &[], &villages).await?;
        changes.extend(villages.into_iter().flat_map(|village| book.change_rules(village, &before, rules)));
        info!(changes = changes.len(), "the coverage rules have changed");
    }
    coverage_rules::save(&mut tx, context, rules, &changes).await?;
    tx.commit().await?;
    Ok(())
}
