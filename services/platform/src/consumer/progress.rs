//! A consumer's progress, for metrics and readiness.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use opentelemetry::{KeyValue, global, metrics::AsyncInstrument};

use super::{cursor::Cursor, source::Head};

/// How far a consumer has come in the log of its source.
#[derive(Debug, Clone)]
pub struct Progress(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    born: Instant,
    seq: AtomicI64,
    head_seq: AtomicI64,
    parked: AtomicI64,
    gaps: AtomicU64,
    refused: AtomicU64,
    /// Milliseconds from `born` to the last time that the consumer was level with the log, or on standby for another
    /// replica; negative before the first.
    level: AtomicI64,
    went_back: AtomicBool,
}

impl Progress {
    pub(super) fn new(consumer: &'static str, source: &'static str) -> Self {
        let progress = Self(Arc::new(Inner {
            born: Instant::now(),
            seq: AtomicI64::new(0),
            head_seq: AtomicI64::new(0),
            parked: AtomicI64::new(0),
            gaps: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            level: AtomicI64::new(-1),
            went_back: AtomicBool::new(false),
        }));
        progress.observe(consumer, source);
        progress
    }

    /// Events of the source that are not handled yet, as far as known.
    #[must_use]
    pub fn lag(&self) -> i64 {
        (self.0.head_seq.load(Relaxed) - self.0.seq.load(Relaxed)).max(0)
    }

    /// Seconds since the consumer last was level with the log; `None` if it never was.
    #[must_use]
    pub fn age_seconds(&self) -> Option<f64> {
        let level = self.0.level.load(Relaxed);
        let age = self.now() - level;
        (level >= 0).then(|| std::time::Duration::from_millis(age.max(0).unsigned_abs()).as_secs_f64())
    }

    /// Messages of the broker that the source's log does not have: somebody else published or altered them.
    #[must_use]
    pub fn refused_messages(&self) -> u64 {
        self.0.refused.load(Relaxed)
    }

    /// Whether the source's log lacks events that were handled, or does not continue their chain: its database was
    /// restored without a new epoch, or altered.
    #[must_use]
    pub fn has_log_gone_back(&self) -> bool {
        self.0.went_back.load(Relaxed)
    }

    pub(super) fn log_went_back(&self) {
        self.0.went_back.store(true, Relaxed);
    }

    /// The log continues the chain of the events that were handled.
    pub(super) fn log_is_sound(&self) {
        self.0.went_back.store(false, Relaxed);
    }

    pub(super) fn note(&self, cursor: &Cursor, head: &Head) {
        self.0.head_seq.store(head.seq, Relaxed);
        self.advance(cursor);
    }

    pub(super) fn advance(&self, cursor: &Cursor) {
        self.0.seq.store(cursor.seq, Relaxed);
        self.0.head_seq.fetch_max(cursor.seq, Relaxed);
        if self.lag() == 0 {
            self.standing_by();
        }
    }

    /// Another replica follows: what this one knew of the log is outdated.
    pub(super) fn stand_by(&self) {
        self.0.went_back.store(false, Relaxed);
        self.standing_by();
    }

    fn standing_by(&self) {
        self.0.level.store(self.now(), Relaxed);
    }

    pub(super) fn parked(&self, count: i64) {
        self.0.parked.store(count, Relaxed);
    }

    pub(super) fn gap(&self) {
        self.0.gaps.fetch_add(1, Relaxed);
    }

    pub(super) fn refused(&self, messages: u64) {
        self.0.refused.fetch_add(messages, Relaxed);
    }

    fn now(&self) -> i64 {
        i64::try_from(self.0.born.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn observe(&self, consumer: &'static str, source: &'static str) {
        let meter = global::meter("tongxin");
        let labels = [KeyValue::new("consumer", consumer), KeyValue::new("source", source)];
        let gauge = |name: &'static str, about: &'static str, read: fn(&Self) -> i64| {
            let (progress, labels) = (self.clone(), labels.clone());
            let observe = move |instrument: &dyn AsyncInstrument<i64>| instrument.observe(read(&progress), &labels);
            meter.i64_observable_gauge(name).with_description(about).with_callback(observe).build();
        };
        gauge("tongxin_projection_lag_events", "Events of the source not handled yet", Self::lag);
        gauge(
            "tongxin_projection_log_went_back",
            "1 while the source's log lacks what was handled of it or does not continue it",
            |progress| i64::from(progress.has_log_gone_back()),
        );
        gauge("tongxin_parked_events", "Events that wait because one could not be handled", |progress| {
            progress.0.parked.load(Relaxed)
        });
        gauge("tongxin_projection_gaps", "Gaps in delivery that were filled from the log", |progress| {
            i64::try_from(progress.0.gaps.load(Relaxed)).unwrap_or(i64::MAX)
        });
        gauge(
            "tongxin_broker_messages_refused",
            "Messages of the broker that the source's log does not have",
            |progress| i64::try_from(progress.refused_messages()).unwrap_or(i64::MAX),
        );
        let (progress, labels) = (self.clone(), labels.clone());
        meter
            .f64_observable_gauge("tongxin_projection_age_seconds")
            .with_description("Time since the projection was level with the source's log")
            .with_callback(move |instrument| {
                instrument.observe(progress.age_seconds().unwrap_or(f64::MAX), &labels);
            })
            .build();
    }
}
