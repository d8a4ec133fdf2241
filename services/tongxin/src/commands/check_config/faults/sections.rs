//! The sections of the settings, each read by itself.

use std::path::{Path, PathBuf};

use serde::{Deserialize, de::DeserializeOwned};
use tongxin_platform::{access::AccessConfig, broker::BrokerConfig, config, error::chain, telemetry::TelemetryConfig};

use crate::settings::{GraceSeconds, Owners};

/// Reads one section by itself, so that one that is wrong hides no other.
macro_rules! section {
    ($name:ident, $kind:ty) => {
        pub(super) fn $name(file: &Path, faults: &mut Vec<String>) -> $kind {
            #[derive(Default, Deserialize)]
            #[serde(default)]
            struct Only {
                $name: $kind,
            }
            read::<Only>(stringify!($name), file, faults).$name
        }
    };
}

section!(access, AccessConfig);
section!(nats, BrokerConfig);
section!(telemetry, TelemetryConfig);
section!(token_file, Option<PathBuf>);
section!(grace_seconds, GraceSeconds);
section!(pairing, Option<tongxin_pairing::Config>);
section!(monitoring, Option<tongxin_monitoring::Config>);
section!(gateway, Option<tongxin_gateway::Config>);
section!(migrate, Owners);

const SECTIONS: [&str; 9] =
    ["access", "nats", "telemetry", "token_file", "grace_seconds", "pairing", "monitoring", "gateway", "migrate"];

/// What cannot be read counts as not said.
fn read<T: DeserializeOwned + Default>(section: &str, file: &Path, faults: &mut Vec<String>) -> T {
    config::load(Some(file)).unwrap_or_else(|error| {
        // The first part says no more than that something is wrong.
        let text = std::error::Error::source(&error).map_or_else(|| error.to_string(), chain);
        faults.push(format!("{section}: {text}"));
        T::default()
    })
}

pub(super) fn unknown_sections<'name>(names: impl Iterator<Item = &'name String>, faults: &mut Vec<String>) {
    for name in names.filter(|name| !SECTIONS.contains(&name.as_str())) {
        faults.push(format!("{name}: there is no such setting; there are {}", SECTIONS.join(", ")));
    }
}
