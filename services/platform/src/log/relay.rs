//! Carries events from the log to JetStream: one loop numbers them, another one publishes, so
//! that a broker that hangs keeps nobody from reading the log.

use std::time::Duration;

use async_nats::jetstream;
use sqlx::PgPool;
use tokio::{
    sync::{Mutex, mpsc},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{gauges::Gauges, publisher::Publisher, read::Entry, sequence};
use crate::{lease::Lease, worker::Wake as RelayWake};

/// How often the relay looks for events that nobody woke it for.
const POLL: Duration = Duration::from_millis(200);

/// Parts of the log that may wait in memory for their publication; what is more is read again.
const PARTS_AHEAD: usize = 4;

/// How long a part of the log may take to be published.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(5);

/// The relay of one service.
#[derive(Debug)]
pub struct Relay {
    pool: PgPool,
    jetstream: jetstream::Context,
    service: &'static str,
    wake: RelayWake,
    look_every: Duration,
    publish_timeout: Duration,
}

impl Relay {
    /// The relay of a service, which runs once [`run`](Self::run) is called.
    #[must_use]
    pub fn new(service: &'static str, pool: PgPool, jetstream: jetstream::Context, wake: RelayWake) -> Self {
        Self { pool, jetstream, service, wake, look_every: POLL, publish_timeout: PUBLISH_TIMEOUT }
    }

    /// Looks by itself so seldom.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn that_looks_every(self, look_every: Duration) -> Self {
        Self { look_every, ..self }
    }

    /// Waits so long for the broker to take a part of the log.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn with_publish_timeout(self, publish_timeout: Duration) -> Self {
        Self { publish_timeout, ..self }
    }

    /// Numbers and publishes events until it is told to stop. Faults of Postgres and of the
    /// broker are waited out.
    pub async fn run(self, stop: CancellationToken) {
        let Self { pool, jetstream, service, wake, look_every, publish_timeout } = self;
        let lease = Mutex::new(Lease::new(pool.clone(), "relay"));
        let gauges = Gauges::of_service(service);
        let (parts, fresh_parts) = mpsc::channel(PARTS_AHEAD);
        let numberer = Numberer { pool: pool.clone(), service, wake, look_every, parts, gauges: gauges.clone() };
        let publisher = Publisher::new(service, pool, jetstream, (look_every, publish_timeout), gauges);
        tokio::join!(numberer.run(&lease, &stop), publisher.run(&lease, fresh_parts, &stop));
        lease.into_inner().release().await;
    }
}

/// The loop that numbers.
struct Numberer {
    pool: PgPool,
    service: &'static str,
    wake: RelayWake,
    look_every: Duration,
    parts: mpsc::Sender<Vec<Entry>>,
    gauges: Gauges,
}

impl Numberer {
    async fn run(self, lease: &Mutex<Lease>, stop: &CancellationToken) {
        let mut called = false;
        loop {
            // Registered before the look: an event written in between is not slept over.
            let woken = self.wake.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            let more = match self.work(lease, called).await {
                Ok(more) => more,
                Err(error) => {
                    warn!(service = self.service, %error, "the relay failed and tries again");
                    false
                }
            };
            if more && !stop.is_cancelled() {
                continue;
            }
            called = tokio::select! {
                () = stop.cancelled() => break,
                () = woken => true,
                () = sleep(self.look_every) => false,
            };
        }
    }

    /// Numbers what has no number, at most one part, and says whether there may be more. Who was
    /// called need not look first.
    async fn work(&self, lease: &Mutex<Lease>, called: bool) -> Result<bool, sqlx::Error> {
        if !lease.lock().await.hold().await? {
            return Ok(false);
        }
        if !called && !waiting(&self.pool).await? {
            return Ok(false);
        }
        let entries = sequence::sequence(&self.pool).await?;
        let Some(last) = entries.last().and_then(|entry| entry.seq) else { return Ok(false) };
        self.gauges.numbered(last);
        let full = i64::try_from(entries.len()).is_ok_and(|len| len >= sequence::BATCH);
        // A publisher that is behind reads them from the log.
        let _ = self.parts.try_send(entries);
        Ok(full)
    }
}

async fn waiting(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let mut tx = crate::db::Scope::EVERYWHERE.read(pool).await?;
    let waiting = sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM event WHERE seq IS NULL) AS "waiting!""#)
        .fetch_one(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(waiting)
}
