//! Counts the tokens that are refused, and says so now and then: callers without a good one could fill the log.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use opentelemetry::{KeyValue, global, metrics::Counter};
use tracing::info;

use crate::access::TokenRefused;

/// A line of the log is for all that came within this time.
const QUIET: Duration = Duration::from_secs(10);

/// Tokens that a door refused.
pub(super) struct Refusals {
    counter: Counter<u64>,
    unsaid: Mutex<Unsaid>,
}

#[derive(Debug, Default)]
struct Unsaid {
    said: Option<Instant>,
    tokens: u64,
}

impl Refusals {
    pub(super) fn new() -> Self {
        let counter = global::meter("tongxin")
            .u64_counter("tongxin_tokens_refused")
            .with_description("Tokens that were refused, by reason")
            .build();
        Self { counter, unsaid: Mutex::default() }
    }

    /// Takes note of one.
    pub(super) fn note(&self, reason: TokenRefused) {
        self.counter.add(1, &[KeyValue::new("reason", reason.to_string())]);
        let tokens = self.unsaid.lock().unwrap_or_else(PoisonError::into_inner).note(Instant::now());
        if let Some(tokens) = tokens {
            // On its own: a span would name whoever came last.
            info!(parent: None, tokens, last_reason = %reason, "tokens were refused");
        }
    }
}

impl Unsaid {
    /// How many the log is to be told of now.
    fn note(&mut self, now: Instant) -> Option<u64> {
        self.tokens += 1;
        if self.said.is_some_and(|said| now < said + QUIET) {
            return None;
        }
        self.said = Some(now);
        Some(std::mem::take(&mut self.tokens))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_refusals_are_one_line() {
        let (mut unsaid, begun) = (Unsaid::default(), Instant::now());
        let lines: Vec<u64> = (0..1_000).filter_map(|tenth| unsaid.note(begun + QUIET * tenth / 400)).collect();
        assert_eq!(lines, [1, 400, 400], "the first at once, the others by their number");
    }
}
