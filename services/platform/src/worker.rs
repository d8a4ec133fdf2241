//! Work that nobody waits for. One replica at a time does it. It is woken after a commit that left some, and looks by
//! itself as well: another replica may have left it, or one that was killed.

use std::{fmt::Display, sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::{
    sync::{Notify, futures::Notified},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::lease::Lease;

/// How often a worker looks for work that nobody woke it for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Wakes whoever works after commits, so that it need not wait for its next look.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Tells that there is work.
    pub fn wake(&self) {
        self.0.notify_one();
    }

    /// Ends when somebody wakes, or did since the last time.
    pub(crate) fn notified(&self) -> Notified<'_> {
        self.0.notified()
    }
}

/// Work that is done part by part.
pub trait Work: Send {
    /// What can go wrong.
    type Error: Display + Send;

    /// Does a part of the work that is there, and says whether there may be more. It is not broken off when the
    /// service stops, so it has to be short.
    fn part(&mut self) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Another replica does the work, or none.
    fn rest(&mut self) {}
}

/// Does work under the lease of a name until told to stop. Faults are waited out.
pub async fn run(name: &'static str, pool: PgPool, wake: Wake, stop: CancellationToken, mut work: impl Work) {
    let mut lease = Lease::new(pool, name);
    loop {
        // Registered before the look: work that is left in between is not slept over.
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
