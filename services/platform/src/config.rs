//! Settings: from a file, and from the environment.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    path::Path,
};

use ::config::{Config, Environment, File, Value};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{db::DbConfig, grpc::GrpcConfig, request::RequestKeyFiles};

/// Prefix and separator of environment variables: `TONGXIN__SHOP__DATABASE__URL`. Two underscores, because
/// Kubernetes itself sets `TONGXIN_..._PORT` for a service of that name.
const PREFIX: &str = "TONGXIN";
const SEPARATOR: &str = "__";

/// Settings that every service has for itself.
#[derive(Debug, Clone)]
pub struct ServiceConfig {
    /// Its database.
    pub database: DbConfig,
    /// Its gRPC server.
    pub grpc: GrpcConfig,
    /// Its admin port.
    pub admin: AdminConfig,
    /// Keys by which requests are known again.
    pub requests: RequestKeyFiles,
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

/// Settings by their sections, each of which is read by itself, so that one that is wrong hides no other.
#[derive(Debug)]
pub struct Sections(HashMap<String, Value>);

impl Sections {
    /// Takes settings from a file (TOML or YAML), then from `TONGXIN__...` variables, which win.
    ///
    /// # Errors
    /// When the file is missing or malformed.
    pub fn read(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::read_within(file, None)
    }

    /// As [`read`](Self::read), with these variables instead of the program's.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_within(file: Option<&Path>, variables: Option<BTreeMap<String, String>>) -> Result<Self, ConfigError> {
        let mut builder = Config::builder();
        if let Some(file) = file {
            builder = builder.add_source(File::from(file));
        }
        let environment = Environment::with_prefix(PREFIX)
            .prefix_separator(SEPARATOR)
            .separator(SEPARATOR)
            .try_parsing(true)
            .source(variables.map(|variables| variables.into_iter().collect()));
        Ok(Self(builder.add_source(environment).build()?.cache.into_table()?))
    }

    /// Takes settings from JSON, as a program makes them for itself.
    ///
    /// # Errors
    /// When it is no object.
    pub fn of_json(json: serde_json::Value) -> serde_json::Result<Self> {
        serde_json::from_value(json).map(Self)
    }

    /// Names of the sections.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Reads a section, if there is one. What is wrong is named by its path from the top.
    ///
    /// # Errors
    /// When a setting is unknown, missing or of the wrong kind.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ConfigError> {
        let Some(section) = self.0.get(name) else { return Ok(None) };
        let alone = Value::from(HashMap::from([(name.to_owned(), section.clone())]));
        Ok(alone.try_deserialize::<HashMap<String, Option<T>>>()?.remove(name).flatten())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::{access::AccessConfig, error::chain, telemetry::TelemetryConfig};

    fn read<T: DeserializeOwned + Default>(text: &str, section: &str) -> Result<T, ConfigError> {
        let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Ok(Sections::read(Some(file.path()))?.get(section)?.unwrap_or_default())
    }

    #[test]
    fn nothing_said_means_the_defaults() {
        assert_eq!(read::<TelemetryConfig>("", "telemetry").unwrap().log, "info");
    }

    #[test]
    fn a_typing_error_is_refused() {
        let error = read::<TelemetryConfig>("[telemetry]\nlgo = 'debug'", "telemetry").unwrap_err();
        assert!(chain(&error).contains("lgo"), "{}", chain(&error));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_path_and_hides_no_other_section() {
        let text = "[telemetry]\nsample_ratio = 'many'\n[access]\nissuers = []";
        let error = read::<TelemetryConfig>(text, "telemetry").unwrap_err();
        assert!(chain(&error).contains("telemetry.sample_ratio"), "{}", chain(&error));
        assert!(read::<AccessConfig>(text, "access").unwrap().issuers.is_empty());
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
        let [issuer] = read::<AccessConfig>(text, "access").unwrap().issuers.try_into().unwrap();
        assert_eq!(issuer.role_of.keys().collect::<Vec<_>>(), ["Town-Officers", "https://sso.example/Roles"]);
        assert_eq!(issuer.region_of_subject.keys().collect::<Vec<_>>(), ["User@Example.org"]);
    }
}
