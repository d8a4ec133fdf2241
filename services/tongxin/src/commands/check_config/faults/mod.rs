//! All that is wrong with a configuration, not only the first thing.
//!
//! | file | |
//! |---|---|
//! | `sections`  | reads each section by itself |
//! | `access`    | issuers of tokens, roles and regions |
//! | `addresses` | the broker, databases, other services, telemetry |
//! | `ports`     | limits, shares and certificates of what is served |
//! | `keys`      | key files of services |

mod access;
mod addresses;
mod keys;
mod ports;
mod sections;

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

use serde_json::Value;
use tongxin_platform::{config, error::chain};

use self::{
    access::access_faults,
    addresses::{connection_faults, database_faults, nats_faults, telemetry_faults, upstream_faults, url_faults},
    keys::{key_faults, request_key_faults},
    ports::port_faults,
};
use crate::services::ServiceName;

/// What is wrong, one line each.
pub fn find(file: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    match config::load::<BTreeMap<String, Value>>(Some(file)) {
        Ok(sections) => sections::unknown_sections(sections.keys(), &mut faults),
        // Not even TOML or YAML, so nothing else can be said.
        Err(error) => return vec![chain(&error)],
    }
    let access = sections::access(file, &mut faults);
    let roles: HashSet<String> = access.roles.keys().cloned().collect();
    access_faults(access, &mut faults);
    nats_faults(&sections::nats(file, &mut faults), &mut faults);
    telemetry_faults(&sections::telemetry(file, &mut faults), &mut faults);
    sections::grace_seconds(file, &mut faults);
    let token_file = sections::token_file(file, &mut faults);
    if let Some(pairing) = sections::pairing(file, &mut faults) {
        database_faults("pairing", &pairing.database, &mut faults);
        port_faults("pairing", &pairing.grpc, &roles, &mut faults);
        request_key_faults("pairing", pairing.request_keys(), &mut faults);
    }
    if let Some(monitoring) = sections::monitoring(file, &mut faults) {
        database_faults("monitoring", &monitoring.database, &mut faults);
        port_faults("monitoring", &monitoring.grpc, &roles, &mut faults);
        connection_faults("monitoring.pairing", monitoring.pairing.expose(), &monitoring.pairing_tls, &mut faults);
        key_faults(&monitoring.personal, &mut faults);
        request_key_faults("monitoring", monitoring.request_keys(), &mut faults);
        if token_file.is_none() {
            faults.push("token_file: monitoring needs one, for its calls to pairing".to_owned());
        }
    }
    if let Some(gateway) = sections::gateway(file, &mut faults) {
        database_faults("gateway", &gateway.database, &mut faults);
        port_faults("gateway", &gateway.grpc, &roles, &mut faults);
        upstream_faults(&gateway, &mut faults);
        if token_file.is_none() {
            faults.push("token_file: the gateway needs one, for its calls to other services".to_owned());
        }
    }
    let owners = sections::migrate(file, &mut faults);
    for service in ServiceName::ALL {
        if let Some(url) = owners.url(service) {
            url_faults(&format!("migrate.{}_url", service.name()), url, &mut faults);
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    pub(super) fn faults(text: &str) -> Vec<String> {
        let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        find(file.path())
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let found = faults(
            "grace = 5
             [nats]
             url = 'nats:4222'
             [telemetry]
             lgo = 'info'
             [pairing.database]
             url = 'mysql://x'
             [gateway.database]
             url = 'postgres://app@db/gateway'
             max_connections = 'many'
             [migrate]
             pairing_url = 'nowhere'",
        );
        for (fault, start) in found.iter().zip([
            "grace: ",
            "nats.url: ",
            "telemetry: ",
            "pairing.database.url: ",
            "pairing.request_key_files names no key",
            "gateway: ",
            "migrate.pairing_url: ",
        ]) {
            assert!(fault.starts_with(start), "{fault}");
        }
        assert_eq!(found.len(), 7, "{found:#?}");
    }

    #[test]
    fn sound_settings_have_no_faults() {
        assert_eq!(faults("token_file = 't'\n[gateway.database]\nurl = 'postgres://app@db/gateway'"), [""; 0]);
    }
}
