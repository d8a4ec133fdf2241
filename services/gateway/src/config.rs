//! Every setting of the gateway, with its default.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use tongxin_platform::{
    config::{AdminConfig, ServiceConfig},
    db::DbConfig,
    grpc::{GrpcConfig, TlsConfig},
    secret::Address,
};

use crate::proxy::Origin;

/// Settings of the gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its database.
    pub database: DbConfig,
    /// Its server, which speaks gRPC, gRPC-Web, and JSON over HTTP.
    #[serde(default, serialize_with = "as_used")]
    pub grpc: GrpcConfig,
    /// Its admin port.
    #[serde(default)]
    pub admin: AdminConfig,
    /// Addresses of the other services by name, such as `http://pairing:7001` or `https://pairing:7001`. Their calls are
    /// passed through, and their events are followed.
    #[serde(default)]
    pub upstreams: BTreeMap<String, Address>,
    /// Certificates for `https://` addresses among them.
    #[serde(default)]
    pub upstream_tls: TlsConfig,
    /// Origins of web pages, such as `https://board.example.gov.cn`, whose scripts may call. Browsers keep all
    /// others from it.
    #[serde(default)]
    pub cors_origins: Vec<Origin>,
    /// Regions whose figures `/metrics` shows, at most; of more, the upper levels first. Every province has fewer
    /// counties and towns than the default.
    #[serde(default = "default_metrics_regions")]
    pub metrics_regions: u32,
}

const fn default_metrics_regions() -> u32 {
    4_000
}

impl Config {
    /// The defaults on a database: no other services, no web pages.
    #[must_use]
    pub fn on(database: DbConfig) -> Self {
        Self {
            database,
            grpc: GrpcConfig::default(),
            admin: AdminConfig::default(),
            upstreams: BTreeMap::new(),
            upstream_tls: TlsConfig::default(),
            cors_origins: Vec::new(),
            metrics_regions: default_metrics_regions(),
        }
    }

    /// What platform needs of it.
    #[must_use]
    pub fn service(&self) -> ServiceConfig {
        ServiceConfig { database: self.database.clone(), grpc: with_http1(&self.grpc), admin: self.admin }
    }
}

/// JSON and gRPC-Web come over HTTP/1 as well.
fn with_http1(grpc: &GrpcConfig) -> GrpcConfig {
    GrpcConfig { accept_http1: true, ..grpc.clone() }
}

fn as_used<S: Serializer>(grpc: &GrpcConfig, serializer: S) -> Result<S::Ok, S::Error> {
    with_http1(grpc).serialize(serializer)
}
