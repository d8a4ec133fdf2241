//! Two replicas that compete for a job.

use std::time::Instant;

use crate::support::database;
use sqlx::PgPool;
use tongxin_platform::lease::{Lease, TTL};
use tongxin_platform::{db, testing::eventually};

async fn pool() -> PgPool {
    db::connect(&db::DbConfig::at(&database().await.app_url)).await.unwrap()
}

#[tokio::test]
async fn a_lease_that_is_not_renewed_goes_to_another_owner() {
    let pool = pool().await;
    let (mut first, second) = (Lease::new(pool.clone(), "job"), Lease::new(pool, "job"));
    let taken = Instant::now();
    assert!(first.hold().await.unwrap());
    let second = tokio::sync::Mutex::new(second);
    eventually("the second owner has it", || async { second.lock().await.hold().await.unwrap() }).await;
    assert!(taken.elapsed() > TTL.mul_f64(0.9), "after {:?} already", taken.elapsed());
    assert!(taken.elapsed() < TTL * 2, "after {:?} only", taken.elapsed());
    assert!(!first.hold().await.unwrap(), "both have it");
}

#[tokio::test]
async fn a_lease_that_is_released_goes_to_another_owner_at_once() {
    let pool = pool().await;
    let (mut first, mut second) = (Lease::new(pool.clone(), "job"), Lease::new(pool.clone(), "job"));
    let mut other_job = Lease::new(pool, "other job");
    assert!(first.hold().await.unwrap());
    assert!(!second.hold().await.unwrap());
    assert!(other_job.hold().await.unwrap());
    first.release().await;
    assert!(second.hold().await.unwrap());
}
