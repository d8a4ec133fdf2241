//! The connection to the message broker.

use std::{path::PathBuf, time::Duration};

use async_nats::{ConnectOptions, Event, ServerAddr, jetstream};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

mod user;

pub use user::BrokerUser;
pub(crate) use user::durable_name;

use crate::secret;

/// How to reach the broker.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BrokerConfig {
    /// `nats://` or `tls://` URL; may contain user and password.
    #[serde(serialize_with = "secret::url")]
    pub url: SecretString,
    /// The user to log in as, usually the service's name; `password_file` has the password.
    pub user: Option<String>,
    /// File with the user's password.
    pub password_file: Option<PathBuf>,
    /// File with NATS credentials, instead of user and password.
    pub credentials_file: Option<PathBuf>,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        Self {
            url: SecretString::from("nats://127.0.0.1:4222"),
            user: None,
            password_file: None,
            credentials_file: None,
        }
    }
}

/// Why the broker cannot be connected to.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The credentials cannot be used.
    #[error("the setting nats.credentials_file cannot be used")]
    Credentials(#[from] std::io::Error),
    /// The password cannot be read.
    #[error("the setting nats.password_file cannot be used")]
    Password(#[source] std::io::Error),
    /// There is a user but no password file.
    #[error("nats.user needs nats.password_file")]
    NoPasswordFile,
    /// The URL cannot be used.
    #[error("the setting nats.url cannot be used")]
    Connect(#[from] async_nats::ConnectError),
}

/// Connects a service to the broker, or keeps trying in the background: services start and accept changes without it.
///
/// # Errors
/// If the settings cannot be used.
pub async fn connect(config: &BrokerConfig, service: &str) -> Result<jetstream::Context, BrokerError> {
    let mut options = ConnectOptions::new()
        .name(format!("tongxin {service}"))
        .custom_inbox_prefix(user::inbox_prefix(service))
        .retry_on_initial_connect()
        .ping_interval(Duration::from_secs(10))
        .reconnect_delay_callback(|attempt| Duration::from_millis((attempt as u64 * 100).min(1_000)))
        .event_callback(|event| async move {
            match event {
                Event::Connected => info!("connected to the broker"),
                event => warn!(%event, "the broker's connection changed"),
            }
        });
    let url = config.url.expose_secret();
    if let Some(file) = &config.credentials_file {
        options = options.credentials_file(file).await?;
    } else if let Some(user) = &config.user {
        let file = config.password_file.as_ref().ok_or(BrokerError::NoPasswordFile)?;
        let password = tokio::fs::read_to_string(file).await.map_err(BrokerError::Password)?;
        options = options.user_and_password(user.clone(), password.trim().to_owned());
    } else if let Some((user, password)) = login(url) {
        options = options.user_and_password(user, password);
    }
    let client = options.connect(url).await?;
    Ok(jetstream::context::ContextBuilder::new()
        .timeout(Duration::from_secs(2))
        .ack_timeout(Duration::from_secs(4))
        .max_ack_inflight(10_000)
        .build(client))
}

impl BrokerConfig {
    /// Whether the URL has an address to connect to.
    #[must_use]
    pub fn has_address(&self) -> bool {
        let url = self.url.expose_secret();
        // The client adds a scheme if there is none.
        let is_stated = url.contains("://");
        let address = url.parse::<ServerAddr>().ok().filter(|address| !address.host().is_empty());
        address.is_some_and(|address| is_stated && matches!(address.scheme(), "nats" | "tls" | "ws" | "wss"))
    }
}

/// The user and password in a URL, which the client does not read there by itself.
fn login(url: &str) -> Option<(String, String)> {
    let address: ServerAddr = url.parse().ok()?;
    Some((address.username()?.to_owned(), address.password()?.to_owned()))
}
