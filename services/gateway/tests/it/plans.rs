//! Statements read what they are about, also by plans that were made while the tables were empty.

use tongxin_platform::{
    region::RegionRange,
    testing::{Database, Plans},
};

/// Statements about all that is kept: rebuilding, comparing, forgetting.
const READ_ALL: [&str; 6] = [
    "SELECT indicator\n        FROM rollup_month",
    "INSERT INTO rollup_day (region_code, indicator, day, amount)\n        SELECT line.code",
    "DELETE FROM rollup_day WHERE indicator = ANY($1)",
    "WITH expected_day AS MATERIALIZED",
    "DELETE FROM rollup_month WHERE indicator = ANY($1)",
    "INSERT INTO rollup_month (region_code, indicator, month, amount)",
];

#[tokio::test]
async fn only_what_is_about_all_reads_all() {
    let database = Database::migrated(&tongxin_gateway::KIND.migrations()).await;
    let mut plans = Plans::of(env!("CARGO_MANIFEST_DIR"), &database, RegionRange::EVERYWHERE).await;
    plans.plan_all(&READ_ALL).await;
}
