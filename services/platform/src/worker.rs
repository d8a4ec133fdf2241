//! Background work. One replica at a time does it. A worker is woken after a commit that left work, and polls as well:
//! another replica may have left it, or one that was killed.

use std::{fmt::Display, sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::{
    sync::{Notify, futures::Notified},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::lease::Lease;

/// How often a worker polls for work.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Wakes a worker after a commit, so that it need not wait for its next poll.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Signals that there is work.
    pub fn wake(&self) {
        self.0.notify_one();
    }

    /// Completes when the worker is woken, or was since the last call.
    pub(crate) fn notified(&self) -> Notified<'_> {
        self.0.notified()
    }
}

/// Work that is done in parts.
pub trait Work: Send {
    /// What can go wrong.
    type Error: Display + Send;

    /// Does a part of the work, and returns whether there may be more. It is not interrupted when the service stops, so
    /// it has to be short.
    fn part(&mut self) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Called when the lease is not held: another replica does the work, or none.
    fn rest(&mut self) {}
}

/// Works under the lease of that name until told to stop. Errors are retried.
pub async fn run(name: &'static str, pool: PgPool, wake: Wake, stop: CancellationToken, mut work: impl Work) {
    let mut lease = Lease::new(pool, name);
    loop {
        // Registered before polling: work that is left in between is not missed.
        let woken = wake.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let more = match lease.hold().await {
            Ok(true) => work.part().await.unwrap_or_else(|error| {
                warn!(worker = name, %error, "a part of the work failed and is tried again");
                false
            }),
            Ok(false) => {
                work.rest();
                false
            }
            Err(error) => {
                warn!(worker = name, %error, "the lease cannot be asked for");
                work.rest();
                false
            }
        };
        if more && !stop.is_cancelled() {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = woken => {}
            () = sleep(LOOK_EVERY) => {}
        }
    }
    lease.release().await;
}
