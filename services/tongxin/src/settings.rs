//! All settings of a configuration file or the environment.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use tongxin_platform::{
    access::AccessConfig,
    broker::BrokerConfig,
    config::Sections,
    secret,
    service::{Configured, Kind},
    telemetry::TelemetryConfig,
};

use crate::{lang::told, services::KINDS};

/// Settings of the program: shared ones at the top level, and a section per service.
#[derive(Debug, Default)]
pub struct Settings {
    /// Trusted issuers of tokens, and permissions of roles.
    pub access: AccessConfig,
    pub nats: BrokerConfig,
    pub telemetry: TelemetryConfig,
    /// File with the token for calls to other services.
    pub token_file: Option<PathBuf>,
    /// Time for a stopping service to finish its requests.
    pub grace_seconds: GraceSeconds,
    /// Services that have a section, by name.
    pub services: BTreeMap<&'static str, Box<dyn Configured>>,
    /// Database URLs for `tongxin migrate`.
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

/// Database URLs for the role that owns the tables, which services never use: `pairing_url` and so on.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, OwnerUrl>")]
pub struct Owners(BTreeMap<String, OwnerUrl>);

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct OwnerUrl(#[serde(serialize_with = "secret::url_if_any")] Option<SecretString>);

impl TryFrom<BTreeMap<String, OwnerUrl>> for Owners {
    type Error = String;

    fn try_from(urls: BTreeMap<String, OwnerUrl>) -> Result<Self, String> {
        let known = KINDS.map(owner_setting);
        match urls.keys().find(|name| !known.contains(name)) {
            Some(name) => Err(told!(
                "unknown field `{name}`, expected one of `{}`",
                "没有 `{name}` 这项设置，可用的有 `{}`",
                known.join("`, `")
            )),
            None => Ok(Self(urls)),
        }
    }
}

impl Serialize for Owners {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(KINDS.map(owner_setting).map(|name| {
            let url = self.0.get(&name);
            (name, url)
        }))
    }
}

impl Owners {
    pub fn url(&self, kind: &Kind) -> Option<&SecretString> {
        self.0.get(&owner_setting(kind))?.0.as_ref()
    }
}

/// The name of the setting within `migrate`.
fn owner_setting(kind: &Kind) -> String {
    format!("{}_url", kind.name)
}

/// Names of the shared settings, of the services' sections, and of `migrate`.
fn names() -> Vec<&'static str> {
    let shared = ["access", "nats", "telemetry", "token_file", "grace_seconds"];
    [&shared[..], &KINDS.map(|kind| kind.name), &["migrate"]].concat()
}

/// Unknown sections, one line each.
pub fn unknown(sections: &Sections) -> Vec<String> {
    let names = names();
    let strange = sections.names().filter(|name| !names.contains(name));
    strange
        .map(|name| {
            told!(
                "{name}: there is no such setting; there are {}",
                "{name}：没有这项设置，可用的有 {}",
                names.join(", ")
            )
        })
        .collect()
}

impl Settings {
    /// Reads all settings from a file, or from the environment alone.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        Self::of(&Sections::read(file)?)
    }

    pub fn of(sections: &Sections) -> Result<Self> {
        if let Some(fault) = unknown(sections).into_iter().next() {
            bail!(told!("the configuration cannot be used: {fault}", "设置不能用：{fault}"));
        }
        let mut services = BTreeMap::new();
        for kind in KINDS {
            services.extend((kind.read)(sections)?.map(|service| (kind.name, service)));
        }
        Ok(Self {
            access: sections.get("access")?.unwrap_or_default(),
            nats: sections.get("nats")?.unwrap_or_default(),
            telemetry: sections.get("telemetry")?.unwrap_or_default(),
            token_file: sections.get("token_file")?,
            grace_seconds: sections.get("grace_seconds")?.unwrap_or_default(),
            services,
            migrate: sections.get("migrate")?.unwrap_or_default(),
        })
    }

    /// All settings, including defaults and with masked secrets.
    pub fn shown(&self) -> Result<Value> {
        let Self { access, nats, telemetry, token_file, grace_seconds, services, migrate } = self;
        let mut shown = json!({
            "access": access,
            "nats": nats,
            "telemetry": telemetry,
            "token_file": token_file,
            "grace_seconds": grace_seconds,
            "migrate": migrate,
        });
        for kind in KINDS {
            shown[kind.name] = services.get(kind.name).map(|service| service.shown()).transpose()?.unwrap_or_default();
        }
        Ok(shown)
    }
}
