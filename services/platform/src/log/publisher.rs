//! The loop that publishes numbered events.

use std::time::{Duration, Instant};

use async_nats::{connection::State, jetstream};
use sqlx::PgPool;
use tokio::{
    sync::{Mutex, mpsc},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    gauges::Gauges,
    publish,
    read::{self, Entry},
    sequence,
};
use crate::lease::Lease;

/// Pause after a failure of the broker.
const BROKER_PAUSE: Duration = Duration::from_secs(1);

/// How long the stream is assumed to exist while nothing is published.
const STREAM_LASTS: Duration = Duration::from_secs(30);

/// Publishes numbered events in the order of their numbers.
pub(super) struct Publisher {
    service: &'static str,
    pool: PgPool,
    jetstream: jetstream::Context,
    look_every: Duration,
    timeout: Duration,
    /// When the stream was last checked.
    stream_seen: Option<Instant>,
    pause_until: Option<Instant>,
    gauges: Gauges,
}

impl Publisher {
    pub(super) fn new(
        service: &'static str,
        pool: PgPool,
        jetstream: jetstream::Context,
        (look_every, timeout): (Duration, Duration),
        gauges: Gauges,
    ) -> Self {
        Self { service, pool, jetstream, look_every, timeout, stream_seen: None, pause_until: None, gauges }
    }

    /// Publishes parts of the log as they are numbered, and the unpublished rest of the log.
    pub(super) async fn run(
        mut self,
        lease: &Mutex<Lease>,
        mut parts: mpsc::Receiver<Vec<Entry>>,
        stop: &CancellationToken,
    ) {
        let mut fresh = Vec::new();
        loop {
            let more = match self.work(lease, fresh).await {
                Ok(more) => more,
                Err(error) => {
                    warn!(service = self.service, %error, "publishing failed and is tried again");
                    false
                }
            };
            fresh = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(part) = parts.recv() => part,
                () = std::future::ready(()), if more => Vec::new(),
                () = sleep(self.look_every) => Vec::new(),
            };
        }
    }

    /// Publishes unpublished events, at most one part, and returns whether there are more that the broker might take at
    /// once.
    async fn work(&mut self, lease: &Mutex<Lease>, fresh: Vec<Entry>) -> Result<bool, sqlx::Error> {
        let head = read::head(&self.pool).await?;
        self.gauges.note(&head);
        let idle = head.published_seq == head.seq;
        if (idle && self.has_stream()) || self.pauses() || !lease.lock().await.hold().await? {
            return Ok(false);
        }
        if idle && !self.is_connected() {
            return Ok(false);
        }
        // Consumers have no right to make it.
        if !self.has_stream()
            && let Err(error) = self.make_stream().await
        {
            self.leave_alone(&error);
            return Ok(false);
        }
        if idle {
            return Ok(false);
        }
        let entries = match fresh.first().and_then(|entry| entry.seq) {
            Some(first) if first == head.published_seq + 1 => fresh,
            _ => read::entries(&self.pool, head.published_seq, sequence::BATCH).await?,
        };
        let Some(last) = entries.last().and_then(|entry| entry.seq) else {
            return Ok(false);
        };
        if let Err(error) = self.hand_over(head.epoch, &entries).await {
            self.leave_alone(&error);
            return Ok(false);
        }
        self.pause_until = None;
        mark_published(&self.pool, last).await?;
        self.gauges.published(last);
        Ok(last < head.seq)
    }

    fn leave_alone(&mut self, error: &str) {
        warn!(service = self.service, error, "the broker does not take events; they wait in the log");
        self.stream_seen = None;
        self.pause_until = Some(Instant::now() + BROKER_PAUSE);
    }

    fn has_stream(&self) -> bool {
        self.stream_seen.is_some_and(|seen| seen.elapsed() < STREAM_LASTS)
    }

    /// Makes the stream, or updates its settings.
    async fn make_stream(&mut self) -> Result<(), String> {
        if !self.is_connected() {
            return Err("not connected".to_owned());
        }
        let config = publish::stream_config(self.service);
        self.jetstream.create_or_update_stream(config).await.map_err(|error| error.to_string())?;
        if self.stream_seen.is_none() {
            info!(service = self.service, "the stream is there");
        }
        self.stream_seen = Some(Instant::now());
        Ok(())
    }

    fn is_connected(&self) -> bool {
        self.jetstream.client().connection_state() == State::Connected
    }

    fn pauses(&self) -> bool {
        self.pause_until.is_some_and(|until| Instant::now() < until)
    }

    async fn hand_over(&self, epoch: i64, entries: &[Entry]) -> Result<(), String> {
        // A publish while disconnected would only fill the client's buffer.
        if !self.is_connected() {
            return Err("not connected".to_owned());
        }
        match timeout(self.timeout, publish::publish(&self.jetstream, self.service, epoch, entries)).await {
            Ok(published) => published.map_err(|error| error.to_string()),
            Err(_) => Err("it did not answer in time".to_owned()),
        }
    }
}

/// If a crash loses this mark, events are published twice, so the commit need not wait for the disk.
async fn mark_published(pool: &PgPool, seq: i64) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin_with("BEGIN; SET LOCAL synchronous_commit = off").await?;
    sqlx::query!("UPDATE log_head SET published_seq = greatest(published_seq, $1)", seq).execute(&mut *tx).await?;
    tx.commit().await
}
