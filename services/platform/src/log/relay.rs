//! Carries events from the log to JetStream. One loop numbers them and another one publishes them, so that a broker
//! that hangs does not keep events from the log's readers.

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

/// How often the relay polls for events without being woken.
const POLL: Duration = Duration::from_millis(200);

/// Numbered parts that may wait in memory to be published; further ones are read again from the log.
const PARTS_AHEAD: usize = 4;

/// Timeout for publishing a part.
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

    /// With another poll interval.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn that_looks_every(self, look_every: Duration) -> Self {
        Self { look_every, ..self }
    }

    /// With another publish timeout.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn with_publish_timeout(self, publish_timeout: Duration) -> Self {
        Self { publish_timeout, ..self }
    }

    /// Numbers and publishes events until told to stop. Errors of Postgres and of the broker are retried.
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
            // Registered before polling: an event that is written in between is not missed.
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

    /// Numbers unnumbered events, at most one part, and returns whether there may be more. After a wake-up there is no
    /// need to check first.
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
