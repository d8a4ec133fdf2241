//! Metrics of the certificate.

use chrono::{DateTime, Utc};
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge},
};

use super::certificate::Certificate;

/// Gauges without a label for the certificate: a program serves one, except in tests.
pub(super) struct Metrics {
    expiration: Gauge<i64>,
    in_step: Gauge<i64>,
    successful: Gauge<i64>,
    reloads: Counter<u64>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let meter = global::meter("tongxin");
        let gauge = |name, description| meter.i64_gauge(name).with_description(description).build();
        Self {
            expiration: gauge(
                "tongxin_tls_certificate_expiration_timestamp_seconds",
                "When the certificate that is served expires",
            ),
            in_step: gauge(
                "tongxin_tls_last_reload_success_timestamp_seconds",
                "When the files last held what is served",
            ),
            successful: gauge(
                "tongxin_tls_last_reload_successful",
                "1 as long as what the files hold is served, 0 when it cannot be",
            ),
            reloads: meter
                .u64_counter("tongxin_tls_reloads")
                .with_description("Changes of the certificate's files, by outcome: served or refused")
                .build(),
        }
    }

    pub(super) fn served(&self, certificate: &Certificate, now: DateTime<Utc>) {
        self.expiration.record(certificate.not_after.timestamp(), &[]);
        self.in_step(now);
    }

    pub(super) fn in_step(&self, now: DateTime<Utc>) {
        self.in_step.record(now.timestamp(), &[]);
        self.successful.record(1, &[]);
    }

    pub(super) fn reloaded(&self, certificate: &Certificate, now: DateTime<Utc>) {
        self.served(certificate, now);
        self.reloads.add(1, &[KeyValue::new("outcome", "served")]);
    }

    pub(super) fn refused(&self) {
        self.successful.record(0, &[]);
        self.reloads.add(1, &[KeyValue::new("outcome", "refused")]);
    }
}
