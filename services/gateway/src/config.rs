//! Every setting of the gateway, with its default.

use std::collections::BTreeMap;

use serde::Deserialize;
use tongxin_platform::{
    config::{AdminConfig, ServiceConfig},
    db::DbConfig,
    grpc::GrpcConfig,
};

/// Settings of the gateway.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its database.
    pub database: DbConfig,
    /// Its server, which speaks gRPC, and JSON over HTTP.
    #[serde(default)]
    pub grpc: GrpcConfig,
    /// Its admin port.
    #[serde(default)]
    pub admin: AdminConfig,
    /// Addresses of the other services by name, such as `http://pairing:7001`. Their calls are
    /// passed through, and their events are followed.
    #[serde(default)]
    pub upstreams: BTreeMap<String, String>,
}

impl Config {
    /// What platform needs of it. JSON comes over HTTP/1 as well.
    #[must_use]
    pub fn service(&self) -> ServiceConfig {
        ServiceConfig {
            database: self.database.clone(),
            grpc: GrpcConfig { accept_http1: true, ..self.grpc.clone() },
            admin: self.admin,
        }
    }
}
