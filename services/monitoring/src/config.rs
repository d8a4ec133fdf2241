//! Every setting of monitoring, with its default.

use serde::{Deserialize, Serialize};
use tongxin_platform::{
    config::{AdminConfig, ServiceConfig},
    db::DbConfig,
    grpc::{GrpcConfig, TlsConfig},
    personal::PersonalConfig,
    request::EntryWindow,
    secret::Address,
};

use crate::domain::income::IncomeTiers;

/// Settings of monitoring.
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
    /// Address of pairing, whose register of regions is followed, such as `http://pairing:7001` or
    /// `https://pairing:7001`.
    pub pairing: Address,
    /// Certificates for an `https://` address.
    #[serde(default)]
    pub pairing_tls: TlsConfig,
    /// Tiers of the collective income of villages: lists of `from` (a day) and `tiers`, each a `name` with
    /// `above_fen`. What was recorded stays in the tiers that it was counted in.
    #[serde(default)]
    pub income_tiers: IncomeTiers,
    /// Keys that personal data is sealed and found by.
    pub personal: PersonalConfig,
}

impl Config {
    /// The defaults on a database.
    #[must_use]
    pub fn on(database: DbConfig, pairing: impl Into<Address>, personal: PersonalConfig) -> Self {
        Self {
            database,
            grpc: GrpcConfig::default(),
            admin: AdminConfig::default(),
            entry_window_days: EntryWindow::default(),
            pairing: pairing.into(),
            pairing_tls: TlsConfig::default(),
            income_tiers: IncomeTiers::default(),
            personal,
        }
    }

    /// The part that every service has.
    #[must_use]
    pub fn service(&self) -> ServiceConfig {
        ServiceConfig { database: self.database.clone(), grpc: self.grpc.clone(), admin: self.admin }
    }
}
