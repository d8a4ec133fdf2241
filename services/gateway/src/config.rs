//! Every setting of the gateway, with its default.

use std::collections::BTreeMap;

use serde::Deserialize;
use tongxin_platform::{
    config::{AdminConfig, ServiceConfig},
    db::DbConfig,
    grpc::GrpcConfig,
};

use crate::proxy::Origin;

/// Settings of the gateway.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its database.
    pub database: DbConfig,
    /// Its server, which speaks gRPC, gRPC-Web, and JSON over HTTP.
    #[serde(default)]
    pub grpc: GrpcConfig,
    /// Its admin port.
    #[serde(default)]
    pub admin: AdminConfig,
    /// Addresses of the other services by name, such as `http://pairing:7001`. Their calls are
    /// passed through, and their events are followed.
    #[serde(default)]
    pub upstreams: BTreeMap<String, String>,
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
            cors_origins: Vec::new(),
            metrics_regions: default_metrics_regions(),
        }
    }

    /// What platform needs of it. JSON and gRPC-Web come over HTTP/1 as well.
    #[must_use]
    pub fn service(&self) -> ServiceConfig {
        ServiceConfig {
            database: self.database.clone(),
            grpc: GrpcConfig { accept_http1: true, ..self.grpc.clone() },
            admin: self.admin,
        }
    }
}
