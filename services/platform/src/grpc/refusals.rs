//! Counts rejected tokens, and logs why now and then: callers without a good token could fill the log.

use std::time::Instant;

use opentelemetry::{KeyValue, global, metrics::Counter};
use tracing::{info, info_span};

use crate::{
    access::{Fault, TokenRefused},
    telemetry::Quiet,
};

/// Tokens that the door rejected.
pub(super) struct Refusals {
    counter: Counter<u64>,
    quiet: Quiet<Kind>,
}

/// Kinds of faults by issuer. A token that no issuer of ours signed may claim anything, so all of these count as one
/// kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    fault: Fault,
    signed: Option<(String, String)>,
}

impl Refusals {
    pub(super) fn new() -> Self {
        let counter = global::meter("tongxin")
            .u64_counter("tongxin_tokens_refused")
            .with_description("Tokens that were refused, by reason")
            .build();
        Self { counter, quiet: Quiet::new() }
    }

    /// Counts one.
    pub(super) fn note(&self, refused: &TokenRefused) {
        let TokenRefused { fault, issuer, detail } = refused;
        self.counter.add(1, &[KeyValue::new("reason", fault.code())]);
        let signed = issuer.as_ref().map(|issuer| (issuer.clone(), detail.clone()));
        let (kind, rest) = (Kind { fault: *fault, signed }, Kind { fault: *fault, signed: None });
        for (told, tokens) in self.quiet.note(kind.clone(), rest, Instant::now()) {
            let reason = told.fault.code();
            let (issuer, detail) = match &told.signed {
                Some((issuer, detail)) => (issuer.as_str(), Some(detail)),
                // The detail of the last one, if it is of this kind.
                None => ("", Some(detail).filter(|_| told == kind)),
            };
            // In a span of its own: that of the request would name the last caller, even in a line that has no parent.
            let all = info_span!(parent: None, "refusals");
            all.in_scope(|| info!(tokens, reason, issuer, detail, "tokens were refused"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The JSON log repeats the spans around a line.
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
}
