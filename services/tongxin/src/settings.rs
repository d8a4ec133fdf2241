//! Everything that a configuration file, or the environment, can say.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tongxin_platform::{access::AccessConfig, broker::BrokerConfig, db::DbConfig, secret, telemetry::TelemetryConfig};

use crate::services::ServiceName;

/// Settings of the program. What services share stands at the top, each service has a section.
///
/// `check-config` writes them out as they are here, so all have to be serializable, with secrets masked.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Whose tokens are good, and what roles may do.
    pub access: AccessConfig,
    /// The message broker.
    pub nats: BrokerConfig,
    /// Logs, traces and metrics.
    pub telemetry: TelemetryConfig,
    /// File with the token by which this program calls other services.
    pub token_file: Option<PathBuf>,
    /// Seconds that a stopping service has to finish its requests.
    pub grace_seconds: GraceSeconds,
    /// The service pairing.
    pub pairing: Option<tongxin_pairing::Config>,
    /// The service monitoring.
    pub monitoring: Option<tongxin_monitoring::Config>,
    /// The gateway.
    pub gateway: Option<tongxin_gateway::Config>,
    /// How `tongxin migrate` reaches databases.
    pub migrate: Owners,
}

/// Seconds to finish requests in.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GraceSeconds(pub u64);

impl Default for GraceSeconds {
    fn default() -> Self {
        Self(25)
    }
}

/// URLs of databases for the role that owns the tables, which services never log in as.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Owners {
    /// Of the database of pairing.
    #[serde(serialize_with = "secret::url_if_any")]
    pub pairing_url: Option<SecretString>,
    /// Of the database of monitoring.
    #[serde(serialize_with = "secret::url_if_any")]
    pub monitoring_url: Option<SecretString>,
    /// Of the database of the gateway.
    #[serde(serialize_with = "secret::url_if_any")]
    pub gateway_url: Option<SecretString>,
}

impl Owners {
    /// The owner's URL of a service's database.
    pub fn url(&self, service: ServiceName) -> Option<&SecretString> {
        match service {
            ServiceName::Pairing => self.pairing_url.as_ref(),
            ServiceName::Monitoring => self.monitoring_url.as_ref(),
            ServiceName::Gateway => self.gateway_url.as_ref(),
        }
    }
}

impl Settings {
    /// The database that a service uses.
    pub fn database(&self, service: ServiceName) -> Option<&DbConfig> {
        match service {
            ServiceName::Pairing => self.pairing.as_ref().map(|config| &config.database),
            ServiceName::Monitoring => self.monitoring.as_ref().map(|config| &config.database),
            ServiceName::Gateway => self.gateway.as_ref().map(|config| &config.database),
        }
    }
}
