//! Follows one source: takes what the broker delivers, and reads what it does not from the log.

#[cfg(any(test, feature = "testing"))]
mod probe;

use std::{sync::Arc, time::Duration};

use async_nats::jetstream;
use sqlx::PgPool;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    Envelope, EventHandler, LogClient, Progress,
    apply::Apply,
    broker::{self, Batch},
    cursor::Cursor,
    doubted::Doubted,
    fault::{Complaints, Fault},
    parked,
    proven::{Claim, Proven, follow},
    source::{Part, Stated},
};
use crate::lease::Lease;

/// How often an idle consumer asks for the head of the source's log.
const TICK: Duration = Duration::from_secs(1);

/// Pause after a fault.
const PAUSE: Duration = Duration::from_millis(100);

/// How often parked events are retried.
const RETRY_PARKED: Duration = Duration::from_mins(1);

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
    /// Misbehaviour of the broker is logged once a minute, however often it occurs.
    complaints: Complaints,
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
        Self {
            name,
            source,
            pool,
            jetstream,
            log,
            handler,
            progress: Progress::new(name, source),
            reached: Cursor::default(),
            complaints: Complaints::default(),
        }
    }

    /// Its progress; stays valid while it runs.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Follows the source until told to stop. Whatever breaks is set up again.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut lease = Lease::new(self.pool.clone(), format!("consumer:{}:{}", self.name, self.source));
        let mut retried: Option<Instant> = None;
        while !stop.is_cancelled() {
            let followed = tokio::select! {
                () = stop.cancelled() => break,
                followed = self.follow(&mut lease, &mut retried) => followed,
            };
            if let Err(fault) = followed
                && self.complaints.is_due(&fault.to_string())
            {
                warn!(consumer = self.name, source = self.source, %fault, "a consumer starts again");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        lease.release().await;
    }

    /// Follows until the lease is lost or an error occurs.
    async fn follow(&mut self, lease: &mut Lease, retried: &mut Option<Instant>) -> Result<(), Fault> {
        if !lease.hold().await? {
            self.progress.stand_by();
            return Ok(());
        }
        self.recognise_log().await?;
        // The log works even while the broker does not.
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
                    let Batch { events, strange, messages: taken, many_more } = batch.map_err(Fault::Broker)?;
                    self.refuse(strange);
                    if many_more && self.has_all(&events) {
                        // New messages would wait behind all those that were read from the log already.
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
                    // Finds events that the broker lost silently.
                    self.catch_up().await?;
                    self.retry_parked(retried).await?;
                }
            }
        }
    }

    /// Makes sure that the log is the one that was followed before. A source that is restored to the past is down
    /// meanwhile, so it is enough to check whenever following begins, however far the log has grown since.
    async fn recognise_log(&mut self) -> Result<(), Fault> {
        let head = self.log.head().await?;
        let cursor = self.applied().begin_epoch(&mut self.log.clone(), head).await?;
        if cursor.seq > 0 {
            let Stated { epoch, hash } = self.log.hash(cursor.seq).await?;
            if epoch == cursor.epoch && hash != cursor.hash {
                self.progress.log_went_back();
                return Err(Fault::LogWentBack(cursor.seq));
            }
        }
        Ok(())
    }

    /// Reads the source's log up to its current head.
    async fn catch_up(&mut self) -> Result<(), Fault> {
        self.read_log(&mut Doubted::default()).await
    }

    /// Reads the source's log up to its current head, and compares the broker's messages with it.
    async fn read_log(&mut self, doubted: &mut Doubted) -> Result<(), Fault> {
        let head = self.log.head().await?;
        let cursor = self.applied().begin_epoch(&mut self.log.clone(), head).await?;
        self.reached = cursor.clone();
        if cursor.seq > head.seq {
            // Another replica has come further since the head was read, or the log went back.
            return self.recognise_log().await;
        }
        self.progress.note(&cursor, &head);
        while self.reached.seq < head.seq {
            let after = self.reached.seq;
            let mut parts = self.log.read(self.source, after).await?;
            while let Some(Part { events, hash }) = parts.next().await? {
                doubted.compare(&events);
                let events = self.applied().of_log(self.reached.clone(), events, &hash)?;
                self.apply(&events).await?;
            }
            if self.reached.seq == after {
                return Err(Fault::Gap(after));
            }
        }
        self.progress.log_is_sound();
        Ok(())
    }

    /// Applies those events of the broker that are new, if they are the next ones of the log; otherwise reads the log,
    /// which has the events in between and decides what is true.
    async fn take(&mut self, mut events: Vec<Envelope>) -> Result<(), Fault> {
        events.retain(|event| event.place() > self.reached.place());
        if events.is_empty() {
            return Ok(());
        }
        let claims = match self.prove(events).await? {
            Ok(proven) => match self.apply(&proven).await {
                Err(Fault::Moved) => return self.catch_up().await,
                taken => return taken,
            },
            Err(claims) => claims,
        };
        let mut doubted = Doubted::new(claims);
        self.read_log(&mut doubted).await?;
        self.refuse(doubted.refused(&self.reached));
        Ok(())
    }

    /// Asks the log whether events of the broker are its next ones; returns them if not.
    async fn prove(&mut self, events: Vec<Envelope>) -> Result<Result<Proven, Vec<Envelope>>, Fault> {
        let from = self.reached.clone();
        let Some(last) = events.last().map(|event| event.seq).filter(|_| follow(&from, &events)) else {
            self.tell("the broker's events are not the next ones: what lies between is read from the log");
            self.progress.gap();
            return Ok(Err(events));
        };
        let epoch = from.epoch;
        // The answer is on its way while the chain is computed.
        let (stated, claim) = tokio::join!(self.log.hash(last), async { Claim::over(from, events) });
        let stated = stated?;
        let hash = if stated.epoch == epoch { &stated.hash[..] } else { &[] };
        Ok(claim.ends_in(hash))
    }

    async fn apply(&mut self, events: &Proven) -> Result<(), Fault> {
        let cursor = self.applied().run(events).await?;
        self.progress.advance(&cursor);
        self.reached = cursor;
        Ok(())
    }

    /// Counts messages of the broker that are not in the log.
    fn refuse(&mut self, messages: u64) {
        if messages > 0 {
            self.progress.refused(messages);
            self.tell("messages of the broker are not what the source's log says: refused, the log is read instead");
        }
    }

    fn tell(&mut self, what: &'static str) {
        if self.complaints.is_due(what) {
            let refused = self.progress.refused_messages();
            warn!(consumer = self.name, source = self.source, refused, "{what}");
        }
    }

    fn has_all(&self, events: &[Envelope]) -> bool {
        events.last().is_some_and(|event| event.place() <= self.reached.place())
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
