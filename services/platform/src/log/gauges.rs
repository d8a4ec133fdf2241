//! Metrics of a log.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

use opentelemetry::{KeyValue, global};

use super::read::Head;

/// How far the log goes and how much of it the broker has, as the relay last saw it.
#[derive(Debug, Clone, Default)]
pub(super) struct Gauges(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    head_seq: AtomicI64,
    published_seq: AtomicI64,
}

impl Gauges {
    pub(super) fn of_service(service: &'static str) -> Self {
        let gauges = Self::default();
        let observe = |name: &'static str, about: &'static str, read: fn(&Self) -> i64| {
            let (gauges, label) = (gauges.clone(), [KeyValue::new("service", service)]);
            global::meter("tongxin")
                .i64_observable_gauge(name)
                .with_description(about)
                .with_callback(move |instrument| instrument.observe(read(&gauges), &label))
                .build();
        };
        observe("tongxin_log_head_seq", "Newest event of the log", |gauges| gauges.0.head_seq.load(Relaxed));
        observe("tongxin_unsent_events", "Events of the log that the broker was not given", Self::unsent);
        gauges
    }

    pub(super) fn note(&self, head: &Head) {
        self.numbered(head.seq);
        self.published(head.published_seq);
    }

    pub(super) fn numbered(&self, seq: i64) {
        self.0.head_seq.store(seq, Relaxed);
    }

    pub(super) fn published(&self, seq: i64) {
        self.0.published_seq.store(seq, Relaxed);
    }

    fn unsent(&self) -> i64 {
        (self.0.head_seq.load(Relaxed) - self.0.published_seq.load(Relaxed)).max(0)
    }
}
