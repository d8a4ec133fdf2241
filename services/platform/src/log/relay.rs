//! Carries events from the log to JetStream.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::{connection::State, jetstream};
use sqlx::PgPool;
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    gauges::Gauges,
    publish,
    read::{self, Entry},
    sequence,
};
use crate::lease::Lease;

/// How often the relay looks for events that nobody woke it for.
const POLL: Duration = Duration::from_millis(200);

/// How long a part of the log may take to be published.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the relay leaves a broker alone that failed.
const BROKER_PAUSE: Duration = Duration::from_secs(1);

/// Wakes the relay after a commit, so that it need not wait for its next look.
#[derive(Debug, Clone, Default)]
pub struct RelayWake(Arc<Notify>);

impl RelayWake {
    /// Tells the relay that there are new events.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// The relay of one service.
#[derive(Debug)]
pub struct Relay {
    pool: PgPool,
    jetstream: jetstream::Context,
    service: &'static str,
    wake: RelayWake,
    stream_is_there: bool,
    pause_until: Option<Instant>,
    gauges: Gauges,
}

impl Relay {
    /// The relay of a service, which runs once [`run`](Self::run) is called.
    #[must_use]
    pub fn new(service: &'static str, pool: PgPool, jetstream: jetstream::Context, wake: RelayWake) -> Self {
        let gauges = Gauges::of_service(service);
        Self { pool, jetstream, service, wake, stream_is_there: false, pause_until: None, gauges }
    }

    /// Numbers and publishes events until it is told to stop. Faults of Postgres and of the
    /// broker are waited out.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut lease = Lease::new(self.pool.clone(), "relay");
        let wake = self.wake.0.clone();
        loop {
            // Registered before the look: an event written in between is not slept over.
            let woken = wake.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            let more = match self.work(&mut lease).await {
                Ok(more) => more,
                Err(error) => {
                    warn!(service = self.service, %error, "the relay failed and tries again");
                    false
                }
            };
            if more && !stop.is_cancelled() {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = woken => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
        lease.release().await;
    }

    /// Does what there is to do and says whether there may be more.
    async fn work(&mut self, lease: &mut Lease) -> Result<bool, sqlx::Error> {
        if !lease.hold().await? {
            return Ok(false);
        }
        let fresh = if waiting(&self.pool).await? { sequence::sequence(&self.pool).await? } else { Vec::new() };
        let numbered_all = i64::try_from(fresh.len()).is_ok_and(|len| len < sequence::BATCH);
        let published_all = self.publish(fresh).await?;
        Ok(!(numbered_all && published_all))
    }

    /// Publishes what has not been, at most one part, and says whether nothing is left or the
    /// broker has to be waited for.
    async fn publish(&mut self, fresh: Vec<Entry>) -> Result<bool, sqlx::Error> {
        let head = read::head(&self.pool).await?;
        self.gauges.note(&head);
        if self.pause_until.is_some_and(|until| Instant::now() < until) {
            return Ok(true);
        }
        if head.published_seq == head.seq {
            return Ok(true);
        }
        let entries = match fresh.first().and_then(|entry| entry.seq) {
            Some(first) if first == head.published_seq + 1 => fresh,
            _ => read::entries(&self.pool, head.published_seq, sequence::BATCH).await?,
        };
        let Some(last) = entries.last().and_then(|entry| entry.seq) else {
            return Ok(true);
        };
        if let Err(error) = self.hand_over(head.epoch, &entries).await {
            warn!(service = self.service, error, "the broker does not take events; they wait in the log");
            self.stream_is_there = false;
            self.pause_until = Some(Instant::now() + BROKER_PAUSE);
            return Ok(true);
        }
        self.pause_until = None;
        mark_published(&self.pool, last).await?;
        self.gauges.published(last);
        Ok(last >= head.seq)
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
        match timeout(PUBLISH_TIMEOUT, publish::publish(&self.jetstream, self.service, epoch, entries)).await {
            Ok(published) => published.map_err(|error| error.to_string()),
            Err(_) => Err("it did not answer in time".to_owned()),
        }
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

/// Losing this mark in a crash costs a second publication, so nobody waits for the disk.
async fn mark_published(pool: &PgPool, seq: i64) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin_with("BEGIN; SET LOCAL synchronous_commit = off").await?;
    sqlx::query!("UPDATE log_head SET published_seq = greatest(published_seq, $1)", seq).execute(&mut *tx).await?;
    tx.commit().await
}
