//! Metrics of key sets.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Meter},
};

use crate::clock::Clock;

/// What the metrics show of a set.
pub(super) struct Gauges(Arc<GaugesInner>);

struct GaugesInner {
    issuer: KeyValue,
    had_at: AtomicI64,
    failures: AtomicI64,
    attempts: Counter<u64>,
}

impl Gauges {
    pub(super) fn new(issuer: &str, clock: &Clock) -> Self {
        Self::by(&global::meter("tongxin"), issuer, clock)
    }

    fn by(meter: &Meter, issuer: &str, clock: &Clock) -> Self {
        let attempts = meter
            .u64_counter("tongxin_key_set_reads")
            .with_description("Times that the key set of an issuer was fetched or its file was read, by outcome")
            .build();
        let issuer = KeyValue::new("issuer", issuer.to_owned());
        let inner = GaugesInner { issuer, had_at: AtomicI64::new(0), failures: AtomicI64::new(0), attempts };
        let gauges = Self(Arc::new(inner));
        let (weak, clock) = (Arc::downgrade(&gauges.0), clock.clone());
        meter
            .i64_observable_gauge("tongxin_key_set_age_seconds")
            .with_description("Seconds since the key set of an issuer was last had; none for one that never was")
            .with_callback(move |instrument| {
                let Some(inner) = weak.upgrade() else { return };
                let had_at = inner.had_at.load(Relaxed);
                if had_at > 0 {
                    instrument.observe(clock.now().timestamp() - had_at, std::slice::from_ref(&inner.issuer));
                }
            })
            .build();
        let weak = Arc::downgrade(&gauges.0);
        meter
            .i64_observable_gauge("tongxin_key_set_failures")
            .with_description("Times in a row that the key set of an issuer could not be had")
            .with_callback(move |instrument| {
                let Some(inner) = weak.upgrade() else { return };
                instrument.observe(inner.failures.load(Relaxed), std::slice::from_ref(&inner.issuer));
            })
            .build();
        gauges
    }

    pub(super) fn issuer(&self) -> String {
        self.0.issuer.value.to_string()
    }

    pub(super) fn had(&self, now: i64) {
        self.0.had_at.store(now, Relaxed);
        self.0.failures.store(0, Relaxed);
        self.count("success");
    }

    pub(super) fn failed(&self) {
        self.0.failures.fetch_add(1, Relaxed);
        self.count("failure");
    }

    fn count(&self, outcome: &'static str) {
        self.0.attempts.add(1, &[self.0.issuer.clone(), KeyValue::new("outcome", outcome)]);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::SdkMeterProvider;
    use prometheus::{Encoder as _, Registry, TextEncoder};

    use super::*;
    use crate::testing::noon;

    #[test]
    fn age_and_failures_of_a_set_are_shown_by_its_issuer() {
        let registry = Registry::new();
        let reader = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build().unwrap();
        let provider = SdkMeterProvider::builder().with_reader(reader).build();
        let shown = |name: &str| {
            let mut text = Vec::new();
            TextEncoder::new().encode(&registry.gather(), &mut text).unwrap();
            let text = String::from_utf8(text).unwrap();
            let of_issuer = text.lines().filter(|line| line.starts_with(name) && line.contains("https://one.example"));
            of_issuer.map(|line| line.rsplit_once(' ').unwrap().1.to_owned()).collect::<Vec<_>>()
        };
        let gauges = Gauges::by(&provider.meter("tongxin"), "https://one.example", &Clock::fixed(noon()));
        gauges.failed();
        gauges.failed();
        assert_eq!(shown("tongxin_key_set_age_seconds{"), [""; 0], "never had");
        assert_eq!(shown("tongxin_key_set_failures{"), ["2"]);
        gauges.had(noon().timestamp() - 700);
        assert_eq!(shown("tongxin_key_set_age_seconds{"), ["700"]);
        assert_eq!(shown("tongxin_key_set_failures{"), ["0"]);
        let reads = shown("tongxin_key_set_reads_total{");
        assert!(reads.len() == 2 && reads.contains(&"1".to_owned()) && reads.contains(&"2".to_owned()), "{reads:?}");
        drop(gauges);
        assert_eq!(shown("tongxin_key_set_failures{"), [""; 0], "an issuer that is no more");
    }
}
