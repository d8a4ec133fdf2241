//! Settings of the gateway, with their defaults.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize, Serializer};
use tongxin_platform::{
    config::{AdminConfig, ServiceConfig},
    db::DbConfig,
    grpc::{GrpcConfig, TlsConfig},
    request::RequestKeyFiles,
    secret::Address,
    service::Section,
};

use crate::proxy::Origin;

/// Settings of the gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its database.
    pub database: DbConfig,
    /// Its server, which speaks gRPC, gRPC-Web and Connect.
    #[serde(default, serialize_with = "as_used")]
    pub grpc: GrpcConfig,
    /// Its admin port.
    #[serde(default)]
    pub admin: AdminConfig,
    /// Addresses of the other services by name, such as `http://pairing:7001` or `https://pairing:7001`. The gateway
    /// passes their calls through and follows their events.
    #[serde(default)]
    pub upstreams: BTreeMap<String, Address>,
    /// Certificates for the `https://` addresses among them.
    #[serde(default)]
    pub upstream_tls: TlsConfig,
    /// Number of connections to each of them for unary calls; each carries as many calls at once as the service's
    /// `max_streams`. Streams have two more connections, and event projection has one.
    #[serde(default = "default_upstream_connections")]
    pub upstream_connections: usize,
    /// Origins of web pages, such as `https://board.example.gov.cn`, whose scripts may call (CORS). Browsers block all
    /// others.
    #[serde(default)]
    pub cors_origins: Vec<Origin>,
    /// Whether `/metrics` shows figures. The admin port requires no token, so without this setting they are shown only
    /// on a loopback address.
    #[serde(default)]
    pub metrics_figures: Option<bool>,
    /// Seconds for which browsers must not use plain HTTP (`Strict-Transport-Security`), if the port speaks TLS; 0
    /// sends no such header.
    #[serde(default = "default_hsts_seconds")]
    pub hsts_seconds: u64,
    /// Maximum number of regions whose figures `/metrics` shows; if there are more, the upper levels come first. Every
    /// province has fewer counties and towns than the default.
    #[serde(default = "default_metrics_regions")]
    pub metrics_regions: u32,
}

const fn default_metrics_regions() -> u32 {
    4_000
}

/// A year, as security scanners expect.
const fn default_hsts_seconds() -> u64 {
    365 * 24 * 3600
}

/// With the default of 256 streams on each: more than the number of requests that are handled at once.
const fn default_upstream_connections() -> usize {
    4
}

impl Config {
    /// Whether `/metrics` shows figures.
    #[must_use]
    pub fn shows_figures(&self) -> bool {
        self.metrics_figures.unwrap_or_else(|| self.admin.listen.ip().is_loopback())
    }

    /// `Strict-Transport-Security`: how long browsers must use https only.
    pub(crate) fn https_only(&self) -> Option<Duration> {
        let is_told = self.grpc.tls.is_some() && self.hsts_seconds > 0;
        is_told.then(|| Duration::from_secs(self.hsts_seconds))
    }
}

impl Section for Config {
    fn common(&self) -> ServiceConfig {
        ServiceConfig {
            database: self.database.clone(),
            grpc: with_http1(&self.grpc),
            admin: self.admin,
            requests: RequestKeyFiles::default(),
        }
    }
}

/// Maximum number of calls that a connection may reset within half a minute. A client with calls of a few milliseconds
/// resets hundreds when this machine is busy for a moment.
const GIVEN_UP: u32 = 512;

/// Connect and gRPC-Web also use HTTP/1. No gateway connects to this one, so connections may have a reset limit.
fn with_http1(grpc: &GrpcConfig) -> GrpcConfig {
    let max_given_up = if grpc.max_given_up == 0 { GIVEN_UP } else { grpc.max_given_up };
    GrpcConfig { accept_http1: true, max_given_up, ..grpc.clone() }
}

fn as_used<S: Serializer>(grpc: &GrpcConfig, serializer: S) -> Result<S::Ok, S::Error> {
    with_http1(grpc).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_to_this_machine_unless_the_setting_says_otherwise() {
        let shown = |listen: &str, metrics_figures: Option<bool>| {
            let section = serde_json::json!({
                "database": { "url": "postgres:///x" },
                "admin": { "listen": listen },
                "metrics_figures": metrics_figures,
            });
            serde_json::from_value::<Config>(section).unwrap().shows_figures()
        };
        assert!(shown("127.0.0.1:9000", None) && shown("[::1]:9000", None) && shown("0.0.0.0:9000", Some(true)));
        assert!(!shown("0.0.0.0:9000", None) && !shown("10.0.0.7:9000", None) && !shown("127.0.0.1:9000", Some(false)));
    }
}
