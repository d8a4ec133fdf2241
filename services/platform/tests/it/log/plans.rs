//! Statements use indexes, even with plans that were made while the tables were empty.

use crate::support::migrations;
use tongxin_platform::{
    region::RegionRange,
    testing::{Database, Plans},
};

/// Statements that read a table of one row, roles, unnumbered events, which have an index to themselves, the end of the
/// log, which is read when all of it is verified, and a register that is forgotten.
const READ_ALL: [&str; 9] = [
    "SELECT epoch, seq, hash, published_seq FROM log_head",
    "SELECT log_head.epoch, event.hash",
    "UPDATE log_head SET seq = $1, hash = $2",
    "UPDATE log_head SET published_seq",
    "FROM pg_roles",
    "WHERE seq IS NULL\n        ORDER BY id",
    "WHERE seq IS NULL) AS",
    "SELECT max(seq) FROM event",
    "DELETE FROM region WHERE source = $1",
];

#[tokio::test]
async fn only_what_is_about_all_reads_all() {
    let database = Database::migrated(&migrations()).await;
    let mut plans = Plans::of(env!("CARGO_MANIFEST_DIR"), &database, RegionRange::EVERYWHERE).await;
    plans.plan_all(&READ_ALL).await;
}
