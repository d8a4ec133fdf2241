//! Settings: from a file, and from the environment.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use ::config::{Config, Environment, File};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{access::AccessConfig, broker::BrokerConfig, db::DbConfig, grpc::GrpcConfig, telemetry::TelemetryConfig};

/// Prefix and separator of environment variables: `TONGXIN__PAIRING__DATABASE__URL`. Two underscores, because
/// Kubernetes itself sets `TONGXIN_..._PORT` for a service of that name.
const PREFIX: &str = "TONGXIN";
const SEPARATOR: &str = "__";

/// Settings that every service of a program shares.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SharedConfig {
    /// Whose tokens are good, and what roles may do.
    pub access: AccessConfig,
    /// The message broker.
    pub nats: BrokerConfig,
    /// Logs, traces and metrics.
    pub telemetry: TelemetryConfig,
    /// File with the token by which this program calls other services; read again each minute.
    pub token_file: Option<PathBuf>,
}

/// Settings that every service has for itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// Its database.
    pub database: DbConfig,
    /// Its gRPC server.
    #[serde(default)]
    pub grpc: GrpcConfig,
    /// Its admin port.
    #[serde(default)]
    pub admin: AdminConfig,
}

/// Settings of an admin port.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdminConfig {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 0)) }
    }
}

/// Settings that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("the configuration cannot be used")]
pub struct ConfigError(#[from] ::config::ConfigError);

/// Reads settings from a file (TOML or YAML), then from `TONGXIN__...` variables, which win.
///
/// # Errors
/// When the file is missing or malformed, or a setting is unknown, missing or of the wrong kind.
pub fn load<T: DeserializeOwned>(file: Option<&Path>) -> Result<T, ConfigError> {
    load_within(file, None)
}

/// As [`load`], with these variables instead of the program's.
///
/// # Errors
/// As [`load`].
pub fn load_within<T: DeserializeOwned>(
    file: Option<&Path>,
    variables: Option<BTreeMap<String, String>>,
) -> Result<T, ConfigError> {
    let mut builder = Config::builder();
    if let Some(file) = file {
        builder = builder.add_source(File::from(file));
    }
    let environment = Environment::with_prefix(PREFIX)
        .prefix_separator(SEPARATOR)
        .separator(SEPARATOR)
        .try_parsing(true)
        .source(variables.map(|variables| variables.into_iter().collect()));
    Ok(builder.add_source(environment).build()?.try_deserialize()?)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn shared(text: &str) -> Result<SharedConfig, ConfigError> {
        let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        load(Some(file.path()))
    }

    #[test]
    fn nothing_said_means_the_defaults() {
        assert_eq!(shared("").unwrap().telemetry.log, "info");
    }

    #[test]
    fn a_typing_error_is_refused() {
        let error = shared("[telemetry]\nlgo = 'debug'").unwrap_err();
        assert!(crate::error::chain(&error).contains("lgo"), "{}", crate::error::chain(&error));
    }

    /// Words of providers are keys of these tables: their case and their dots count.
    #[test]
    fn keys_of_tables_are_taken_letter_by_letter() {
        let text = "[[access.issuers]]
            issuer = 'https://sso.example'
            audience = 'tongxin'
            keys = { jwks_url = 'https://sso.example/keys' }
            role_of = { 'Town-Officers' = 'town', 'https://sso.example/Roles' = 'county' }
            region_of_subject = { 'User@Example.org' = '441800000000' }";
        let [issuer] = shared(text).unwrap().access.issuers.try_into().unwrap();
        assert_eq!(issuer.role_of.keys().collect::<Vec<_>>(), ["Town-Officers", "https://sso.example/Roles"]);
        assert_eq!(issuer.region_of_subject.keys().collect::<Vec<_>>(), ["User@Example.org"]);
    }
}
