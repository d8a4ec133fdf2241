//! Counts rejected requests.

use opentelemetry::{KeyValue, global, metrics::Counter};

/// Number of requests that were rejected or given up, by reason.
#[derive(Debug, Clone)]
pub(super) struct Shed(Counter<u64>);

impl Shed {
    pub(super) fn new() -> Self {
        let counter = global::meter("tongxin")
            .u64_counter("tongxin_requests_shed")
            .with_description("Requests that found no place, or whose caller kept us waiting, by what was missing")
            .build();
        Self(counter)
    }

    pub(super) fn count(&self, what: &'static str) {
        self.0.add(1, &[KeyValue::new("what", what)]);
    }
}
