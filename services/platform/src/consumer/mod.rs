//! Follows the log of another service and keeps what follows from its events.
//!
//! JetStream delivers quickly, the source's log delivers surely: an event is handled when it is
//! the next of its log, dropped when it is older, and what lies between is read from the log.

mod anew;
mod apply;
mod broker;
mod cursor;
mod envelope;
mod parked;
mod progress;
mod source;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use async_nats::jetstream;
use sqlx::{PgConnection, PgPool};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use envelope::Envelope;
pub use progress::Progress;
pub use source::LogClient;

use crate::lease::Lease;
use apply::Apply;
use broker::Batch;
use cursor::Cursor;

/// How often an idle consumer asks the source how far its log goes.
const TICK: Duration = Duration::from_secs(1);

/// Pause after a fault.
const PAUSE: Duration = Duration::from_millis(100);

/// How often parked events are tried again.
const RETRY_PARKED: Duration = Duration::from_mins(1);

/// Reacts to the events of a source.
pub trait EventHandler: Send + Sync + 'static {
    /// Keeps the effects of events, in their order, within the transaction that `conn` is in.
    ///
    /// # Errors
    /// [`HandlerError::Rejected`] for an event that can never be handled as it is.
    fn handle(
        &self,
        conn: &mut PgConnection,
        events: &[Envelope],
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;

    /// Forgets all that the source's events led to, because its log begins anew. The events of the new log are
    /// handled in the same transaction, so nobody sees less meanwhile.
    ///
    /// # Errors
    /// When Postgres fails.
    fn forget(
        &self,
        conn: &mut PgConnection,
        source: &'static str,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

/// Why events were not handled.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// The event is at fault: it is parked, and with it its aggregate.
    #[error("{0}")]
    Rejected(String),
    /// The database is at fault, or refuses the event.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl HandlerError {
    /// An event that cannot be handled, and why.
    #[expect(clippy::needless_pass_by_value, reason = "`map_err(HandlerError::reject)` reads well")]
    pub fn reject(reason: impl ToString) -> Self {
        Self::Rejected(reason.to_string())
    }
}

/// A fault that is waited out.
#[derive(Debug, thiserror::Error)]
enum Fault {
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
    #[error("the identifier of event {0} is no UUID")]
    EventIdWrong(i64),
}

/// How often a fault that lasts is told again.
const COMPLAIN: Duration = Duration::from_mins(1);

/// Keeps a fault that lasts from being told with each attempt.
#[derive(Default)]
struct Complaints {
    last: Option<(String, Instant)>,
}

impl Complaints {
    /// Whether a fault is a new one, or has lasted for a while since it was told.
    fn is_due(&mut self, fault: &str) -> bool {
        let told = self.last.as_ref().is_some_and(|(told, at)| told == fault && at.elapsed() < COMPLAIN);
        if !told {
            self.last = Some((fault.to_owned(), Instant::now()));
        }
        !told
    }
}

/// Follows one source for one consuming service.
pub struct Consumer<H> {
    name: &'static str,
    source: &'static str,
    pool: PgPool,
    jetstream: jetstream::Context,
    log: LogClient,
    handler: Arc<H>,
    progress: Progress,
    reached: Cursor,
}

impl<H: EventHandler> Consumer<H> {
    /// A consumer named for its service, which follows `source` once it [`run`](Self::run)s.
    #[must_use]
    pub fn new(
        (name, source): (&'static str, &'static str),
        pool: PgPool,
        jetstream: jetstream::Context,
        log: LogClient,
        handler: Arc<H>,
    ) -> Self {
        let progress = Progress::new(name, source);
        Self { name, source, pool, jetstream, log, handler, progress, reached: Cursor::default() }
    }

    /// How far it has come; stays valid while it runs.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Follows the source until told to stop. Whatever breaks is built again.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut lease = Lease::new(self.pool.clone(), format!("consumer:{}:{}", self.name, self.source));
        let mut retried: Option<Instant> = None;
        let mut complaints = Complaints::default();
        while !stop.is_cancelled() {
            let followed = tokio::select! {
                () = stop.cancelled() => break,
                followed = self.follow(&mut lease, &mut retried) => followed,
            };
            match followed {
                Ok(()) => complaints = Complaints::default(),
                Err(fault) if complaints.is_due(&fault.to_string()) => {
                    warn!(consumer = self.name, source = self.source, %fault, "a consumer starts again");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        lease.release().await;
    }

    /// Follows until the lease is lost or something breaks.
    async fn follow(&mut self, lease: &mut Lease, retried: &mut Option<Instant>) -> Result<(), Fault> {
        if !lease.hold().await? {
            self.progress.stand_by();
            return Ok(());
        }
        self.recognise_log().await?;
        // The log serves even while the broker does not.
        self.catch_up().await?;
        self.retry_parked(retried).await?;
        let mut messages = broker::messages(&self.jetstream, self.name, self.source).await.map_err(Fault::Broker)?;
        self.catch_up().await?;
        info!(consumer = self.name, source = self.source, "a consumer follows");
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                batch = messages.next() => {
                    let Batch { events, messages: taken, many_more } = batch.map_err(Fault::Broker)?;
                    if many_more && self.has_all(&events) {
                        // What comes next would wait behind all that the log has told already.
                        info!(consumer = self.name, source = self.source, "the broker is far behind the log: skipped");
                        return broker::skip(&self.jetstream, self.name, self.source).await.map_err(Fault::Broker);
                    }
                    self.take(events).await?;
                    broker::acknowledge(taken).await.map_err(Fault::Broker)?;
                }
                _ = tick.tick() => {
                    if !lease.hold().await? {
                        return Ok(());
                    }
                    // Finds what the broker lost without telling.
                    self.catch_up().await?;
                    self.retry_parked(retried).await?;
                }
            }
        }
    }

    /// Makes sure that the log is the one that was followed: a source that was restored to the past has been away, so it
    /// is enough to look whenever following begins, however far the log has grown since.
    async fn recognise_log(&mut self) -> Result<(), Fault> {
        let head = self.log.head().await?;
        let cursor = self.applied().begin_epoch(&mut self.log.clone(), head).await?;
        if cursor.seq > 0 && self.log.event_id(cursor.seq).await? != cursor.event_id {
            self.progress.log_went_back();
            return Err(Fault::LogWentBack(cursor.seq));
        }
        Ok(())
    }

    /// Reads the source's log up to the head of this moment.
    async fn catch_up(&mut self) -> Result<(), Fault> {
        let head = self.log.head().await?;
        let mut cursor = self.applied().begin_epoch(&mut self.log.clone(), head).await?;
        self.reached = cursor;
        if cursor.seq > head.seq {
            // Another replica has come further since the head was asked for, or the log went back.
            return self.recognise_log().await;
        }
        self.progress.note(&cursor, &head);
        while cursor.seq < head.seq {
            let after = cursor;
            let mut parts = self.log.read(self.source, after.seq).await?;
            while let Some(events) = parts.next().await? {
                cursor = self.apply(events).await?;
            }
            if cursor == after {
                return Err(Fault::Gap(after.seq));
            }
        }
        Ok(())
    }

    /// Takes events from the broker, reading from the log what they skip.
    async fn take(&mut self, events: Vec<Envelope>) -> Result<(), Fault> {
        match self.apply(events).await {
            Err(Fault::Gap(after)) => {
                warn!(consumer = self.name, source = self.source, after, "a gap is filled from the log");
                self.progress.gap();
                self.catch_up().await
            }
            taken => taken.map(drop),
        }
    }

    async fn apply(&mut self, events: Vec<Envelope>) -> Result<Cursor, Fault> {
        let cursor = self.applied().run(events).await?;
        self.reached = cursor;
        self.progress.advance(&cursor);
        Ok(cursor)
    }

    fn has_all(&self, events: &[Envelope]) -> bool {
        let reached = (self.reached.epoch, self.reached.seq);
        events.last().is_some_and(|event| (event.epoch, event.seq) <= reached)
    }

    fn applied(&self) -> Apply<'_, H> {
        Apply {
            pool: &self.pool,
            name: self.name,
            source: self.source,
            handler: &self.handler,
            progress: &self.progress,
        }
    }

    async fn retry_parked(&self, retried: &mut Option<Instant>) -> Result<(), Fault> {
        if retried.is_none_or(|retried| retried.elapsed() >= RETRY_PARKED) {
            *retried = Some(Instant::now());
            parked::retry(&self.pool, self.name, self.source, &*self.handler).await?;
        }
        self.progress.parked(parked::count(&self.pool, self.name, self.source).await?);
        Ok(())
    }
}
