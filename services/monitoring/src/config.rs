//! Every setting of monitoring, with its default.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use tongxin_platform::{
    config::{AdminConfig, ServiceConfig},
    db::DbConfig,
    grpc::{GrpcConfig, TlsConfig},
    personal::{KeyVersion, PersonalConfig},
    request::{EntryWindow, RequestKeyError, RequestKeys},
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
    /// A file for each version of the key by which requests are known again, 32 bytes as of `openssl rand -hex 32`. A version stays
    /// here as long as requests that were made under it may come again.
    #[serde(default)]
    pub request_key_files: BTreeMap<KeyVersion, PathBuf>,
    /// The version for new requests; the highest if unset.
    #[serde(default)]
    pub current_request_key: Option<KeyVersion>,
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
    pub fn on(
        database: DbConfig,
        pairing: impl Into<Address>,
        personal: PersonalConfig,
        request_key_files: BTreeMap<KeyVersion, PathBuf>,
    ) -> Self {
        Self {
            database,
            grpc: GrpcConfig::default(),
            admin: AdminConfig::default(),
            request_key_files,
            current_request_key: None,
            entry_window_days: EntryWindow::default(),
            pairing: pairing.into(),
            pairing_tls: TlsConfig::default(),
            income_tiers: IncomeTiers::default(),
            personal,
        }
    }

    /// The keys by which requests are known again.
    ///
    /// # Errors
    /// When none is named, or one cannot be read.
    pub fn request_keys(&self) -> Result<RequestKeys, RequestKeyError> {
        RequestKeys::load(&self.request_key_files, self.current_request_key)
    }

    /// The part that every service has.
    #[must_use]
    pub fn service(&self) -> ServiceConfig {
        ServiceConfig { database: self.database.clone(), grpc: self.grpc.clone(), admin: self.admin }
    }
}
