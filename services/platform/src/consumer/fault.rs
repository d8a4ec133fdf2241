//! Why a consumer does not follow its source, and how often that is logged.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

/// A fault that is retried.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the source's log cannot be read: {0}")]
    Source(#[from] tonic::Status),
    #[error("the broker failed: {0}")]
    Broker(String),
    #[error("the source's log has a gap after event {0}")]
    Gap(i64),
    #[error("the source's log went back to epoch {0}: its database was restored without a new epoch")]
    EpochWentBack(i64),
    #[error(
        "the source's log has no event {0} any more, or another one than was handled: its database was restored \
         without a new epoch, so run `tongxin log new-epoch` for it"
    )]
    LogWentBack(i64),
    #[error(
        "the source's log is not what it was: what it has after event {0} does not continue its hash chain, so nothing of it \
         is taken; `tongxin log verify` says where it was altered"
    )]
    LogAltered(i64),
    #[error("another replica has moved the cursor")]
    Moved,
}

/// Interval at which a lasting fault is logged again.
const COMPLAIN: Duration = Duration::from_mins(1);

/// Maximum number of different faults that are logged within that time.
const COMPLAINTS: usize = 16;

/// Limits how often a recurring fault is logged.
#[derive(Default)]
pub(super) struct Complaints(HashMap<String, Instant>);

impl Complaints {
    /// Whether a fault was not logged for a while.
    pub fn is_due(&mut self, what: &str) -> bool {
        self.0.retain(|_, told| told.elapsed() < COMPLAIN);
        if self.0.contains_key(what) || self.0.len() >= COMPLAINTS {
            return false;
        }
        self.0.insert(what.to_owned(), Instant::now());
        true
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_again_and_again_is_told_once_a_minute() {
    let mut complaints = Complaints::default();
    for round in 0..3 {
        let due = (0..1_000).filter(|number| complaints.is_due(&format!("fault {}", number % 3))).count();
        assert_eq!(due, 3, "in minute {round}");
        tokio::time::advance(COMPLAIN).await;
    }
    let due = (0..1_000).filter(|number| complaints.is_due(&format!("fault {number}"))).count();
    assert_eq!(due, COMPLAINTS);
}
