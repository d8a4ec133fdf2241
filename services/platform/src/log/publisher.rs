//! The loop that publishes what has its number.

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

/// How long a broker that failed is left alone.
const BROKER_PAUSE: Duration = Duration::from_secs(1);

/// Gives the broker what has its number, in the order of the numbers.
pub(super) struct Publisher {
    service: &'static str,
    pool: PgPool,
    jetstream: jetstream::Context,
    look_every: Duration,
    timeout: Duration,
    stream_is_there: bool,
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
        Self { service, pool, jetstream, look_every, timeout, stream_is_there: false, pause_until: None, gauges }
    }

    /// Publishes as parts of the log are numbered, and whatever the log holds besides.
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

    /// Publishes what has not been, at most one part, and says whether there is more that the
    /// broker might take at once.
    async fn work(&mut self, lease: &Mutex<Lease>, fresh: Vec<Entry>) -> Result<bool, sqlx::Error> {
        let head = read::head(&self.pool).await?;
        self.gauges.note(&head);
        if head.published_seq == head.seq || self.pauses() || !lease.lock().await.hold().await? {
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
            warn!(service = self.service, error, "the broker does not take events; they wait in the log");
            self.stream_is_there = false;
            self.pause_until = Some(Instant::now() + BROKER_PAUSE);
            return Ok(false);
        }
        self.pause_until = None;
        mark_published(&self.pool, last).await?;
        self.gauges.published(last);
        Ok(last < head.seq)
    }

    fn pauses(&self) -> bool {
        self.pause_until.is_some_and(|until| Instant::now() < until)
    }

    async fn hand_over(&mut self, epoch: i64, entries: &[Entry]) -> Result<(), String> {
        // A publish while disconnected would only fill the client's buffer.
        if self.jetstream.client().connection_state() != State::Connected {
            return Err("not connected".to_owned());
        }
        if !self.stream_is_there {
            let config = publish::stream_config(self.service);
            self.jetstream.create_or_update_stream(config).await.map_err(|error| error.to_string())?;
            info!(service = self.service, "the stream is there");
            self.stream_is_there = true;
        }
        match timeout(self.timeout, publish::publish(&self.jetstream, self.service, epoch, entries)).await {
            Ok(published) => published.map_err(|error| error.to_string()),
            Err(_) => Err("it did not answer in time".to_owned()),
        }
    }
}

/// Losing this mark in a crash costs a second publication, so nobody waits for the disk.
async fn mark_published(pool: &PgPool, seq: i64) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin_with("BEGIN; SET LOCAL synchronous_commit = off").await?;
    sqlx::query!("UPDATE log_head SET published_seq = greatest(published_seq, $1)", seq).execute(&mut *tx).await?;
    tx.commit().await
}
