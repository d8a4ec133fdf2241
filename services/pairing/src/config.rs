//! Every setting of pairing, with its default.

use serde::{Deserialize, Serialize};
use tongxin_platform::{
    config::{AdminConfig, ServiceConfig},
    db::DbConfig,
    grpc::GrpcConfig,
    request::EntryWindow,
};

use crate::domain::coverage::CoverageRules;

/// Settings of pairing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its database.
    pub database: DbConfig,
    /// Its gRPC server.
    #[serde(default)]
    pub grpc: GrpcConfig,
    /// Its admin port.
    #[serde(default)]
    pub admin: AdminConfig,
    /// How many days back a date may lie without the permission `history.load`.
    #[serde(default)]
    pub entry_window_days: EntryWindow,
    /// When an assisted village counts as covered, by the rule's name.
    #[serde(default)]
    pub coverage: CoverageRules,
}

impl Config {
    /// The defaults on a database.
    #[must_use]
    pub fn on(database: DbConfig) -> Self {
        Self {
            database,
            grpc: GrpcConfig::default(),
            admin: AdminConfig::default(),
            entry_window_days: EntryWindow::default(),
            coverage: CoverageRules::default(),
        }
    }

    /// The part that every service has.
    #[must_use]
    pub fn service(&self) -> ServiceConfig {
        ServiceConfig { database: self.database.clone(), grpc: self.grpc.clone(), admin: self.admin }
    }
}
