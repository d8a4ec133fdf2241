//! Matches warnings with the people that they are about, soon after either was committed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use opentelemetry::global;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tongxin_platform::{
    clock::Clock,
    db::Scope,
    log::RelayWake,
    request::Context,
    worker::{self, Wake, Work},
};

use crate::{
    commands::match_waiting,
    error::Error,
    store::match_queue::{self, Waiting},
};

/// The actor of its events.
const ACTOR: &str = "service:monitoring";

/// The lease of the replica that matches.
const LEASE: &str = "warnings";

/// Interval of measuring the queue.
const MEASURE_EVERY: Duration = Duration::from_secs(2);

/// Matches the entries of the queue.
pub struct Matcher {
    pool: PgPool,
    clock: Clock,
    relay: RelayWake,
    gauges: Gauges,
    measured: Option<Instant>,
}

impl Matcher {
    /// A matcher that wakes the relay for the events that it writes.
    #[must_use]
    pub fn new(pool: PgPool, clock: Clock, relay: RelayWake) -> Self {
        Self { pool, clock, relay, gauges: Gauges::new(), measured: None }
    }

    /// Matches until told to stop; the rest of the queue waits for the next start.
    pub async fn run(self, wake: Wake, stop: CancellationToken) {
        worker::run(LEASE, self.pool.clone(), wake, stop, self).await;
    }

    async fn measure(&mut self) -> Result<(), Error> {
        if self.measured.is_some_and(|measured| measured.elapsed() < MEASURE_EVERY) {
            return Ok(());
        }
        let mut tx = Scope::EVERYWHERE.read(&self.pool).await?;
        self.gauges.show(match_queue::waiting(&mut tx).await?);
        self.measured = Some(Instant::now());
        Ok(())
    }
}

impl Work for Matcher {
    type Error = Error;

    async fn part(&mut self) -> Result<bool, Error> {
        self.measure().await?;
        let context = Context::of_service(ACTOR, self.clock.now());
        let more = match_waiting(&self.pool, &context).await?;
        if more {
            self.relay.wake();
        }
        Ok(more)
    }

    fn rest(&mut self) {
        self.gauges.show(Waiting::default());
        self.measured = None;
    }
}

/// Metrics of the queue, by the replica that matches.
#[derive(Clone)]
struct Gauges(Arc<Inner>);

#[derive(Default)]
struct Inner {
    entries: AtomicI64,
    oldest_seconds: AtomicI64,
}

impl Gauges {
    fn new() -> Self {
        let gauges = Self(Arc::default());
        let observe = |name: &'static str, about: &'static str, read: fn(&Inner) -> i64| {
            let gauges = gauges.clone();
            global::meter("tongxin")
                .i64_observable_gauge(name)
                .with_description(about)
                .with_callback(move |instrument| instrument.observe(read(&gauges.0), &[]))
                .build();
        };
        observe("tongxin_warnings_waiting", "Entries of warnings and people that wait to be matched", |inner| {
            inner.entries.load(Relaxed)
        });
        observe("tongxin_warnings_oldest_seconds", "Seconds for which the oldest of them waits", |inner| {
            inner.oldest_seconds.load(Relaxed)
        });
        gauges
    }

    fn show(&self, Waiting { entries, oldest_seconds }: Waiting) {
        self.0.entries.store(entries, Relaxed);
        self.0.oldest_seconds.store(oldest_seconds, Relaxed);
    }
}
