//! Counts the tokens that are refused, and says why now and then: callers without a good one could fill the log.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use opentelemetry::{KeyValue, global, metrics::Counter};
use tracing::{info, info_span};

use crate::access::{Fault, TokenRefused};

/// A line of the log is for all of one kind that came within this time.
const QUIET: Duration = Duration::from_secs(10);

/// Kinds that are told apart. Issuers sign what claims hold, so there are few.
const KINDS: usize = 256;

/// Tokens that a door refused.
pub(super) struct Refusals {
    counter: Counter<u64>,
    unsaid: Mutex<HashMap<Kind, Unsaid>>,
}

/// What is wrong with whose tokens. What was not signed by an issuer of ours may say anything, so that counts as one kind.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Kind {
    fault: Fault,
    signed: Option<(String, String)>,
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
    pub(super) fn note(&self, refused: &TokenRefused) {
        let TokenRefused { fault, issuer, detail } = refused;
        self.counter.add(1, &[KeyValue::new("reason", fault.code())]);
        let signed = issuer.as_ref().map(|issuer| (issuer.clone(), detail.clone()));
        let tokens = self.tell(Kind { fault: *fault, signed }, Instant::now());
        if let Some(tokens) = tokens {
            let (reason, issuer) = (fault.code(), issuer.as_deref().unwrap_or_default());
            // In a span of its own: that of the request would name whoever came last, also in a line that has no parent.
            let all = info_span!(parent: None, "refusals");
            all.in_scope(|| info!(tokens, reason, issuer, detail, "tokens were refused"));
        }
    }

    /// How many of a kind the log is to be told of now.
    fn tell(&self, kind: Kind, now: Instant) -> Option<u64> {
        let mut unsaid = self.unsaid.lock().unwrap_or_else(PoisonError::into_inner);
        if unsaid.len() >= KINDS && !unsaid.contains_key(&kind) {
            unsaid.retain(|_, of_kind| of_kind.tokens > 0 || of_kind.said.is_some_and(|said| now < said + QUIET));
            if unsaid.len() >= KINDS {
                return unsaid.entry(Kind { fault: kind.fault, signed: None }).or_default().note(now);
            }
        }
        unsaid.entry(kind).or_default().note(now)
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

    fn kind(detail: &str) -> Kind {
        Kind { fault: Fault::Region, signed: Some(("https://people.example".to_owned(), detail.to_owned())) }
    }

    /// Also in JSON, whose lines repeat the spans around them.
    #[test]
    fn a_line_for_all_does_not_name_the_last_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let file = std::sync::Arc::new(std::fs::File::create(&path).unwrap());
        let lines = tracing_subscriber::fmt().json().with_current_span(false).with_writer(file);
        tracing::subscriber::with_default(lines.finish(), || {
            let _request = info_span!("rpc", rpc.method = "GetHead").entered();
            let refused = TokenRefused { fault: Fault::Region, issuer: None, detail: "no region".to_owned() };
            Refusals::new().note(&refused);
        });
        let line = std::fs::read_to_string(path).unwrap();
        assert!(line.contains("tokens were refused") && line.contains(r#""spans":[{"name":"refusals"}]"#), "{line}");
    }

    #[test]
    fn many_refusals_are_one_line() {
        let (refusals, begun) = (Refusals::new(), Instant::now());
        let tell = |tenth| refusals.tell(kind("no region"), begun + QUIET * tenth / 400);
        let lines: Vec<u64> = (0..1_000).filter_map(tell).collect();
        assert_eq!(lines, [1, 400, 400], "the first at once, the others by their number");
    }

    #[test]
    fn another_kind_has_a_line_of_its_own_and_kinds_are_bounded() {
        let (refusals, now) = (Refusals::new(), Instant::now());
        let tell = |number: usize| refusals.tell(kind(&number.to_string()), now);
        assert!((0..KINDS).all(|number| tell(number) == Some(1)));
        assert_eq!((KINDS..10 * KINDS).filter_map(tell).count(), 1, "one line for all others");
        assert!(refusals.unsaid.lock().unwrap().len() <= KINDS + 14);
    }
}
