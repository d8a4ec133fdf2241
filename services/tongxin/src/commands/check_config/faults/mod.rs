//! All faults of a configuration, not only the first one. Each service finds those that only it knows of.
//!
//! | file | |
//! |---|---|
//! | `access`    | issuers of tokens, roles and regions |
//! | `addresses` | the broker, databases, telemetry |
//! | `ports`     | limits, shares and certificates of servers |

mod access;
mod addresses;
mod ports;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use tongxin_platform::{
    access::AccessConfig,
    config::{ConfigError, Sections},
    error::chain,
};

use self::{
    access::access_faults,
    addresses::{database_faults, nats_faults, telemetry_faults, url_faults},
    ports::port_faults,
};
use crate::{
    lang::told,
    services::KINDS,
    settings::{self, GraceSeconds, Owners},
};

/// One line per fault.
pub fn find(file: &Path) -> Vec<String> {
    let sections = match Sections::read(Some(file)) {
        Ok(sections) => sections,
        // Neither TOML nor YAML, so nothing else can be checked.
        Err(error) => return vec![chain(&error)],
    };
    let mut faults = settings::unknown(&sections);
    let access: AccessConfig = read(&sections, "access", &mut faults);
    let roles: HashSet<String> = access.roles.keys().cloned().collect();
    access_faults(access, &mut faults);
    nats_faults(&read(&sections, "nats", &mut faults), &mut faults);
    telemetry_faults(&read(&sections, "telemetry", &mut faults), &mut faults);
    read::<GraceSeconds>(&sections, "grace_seconds", &mut faults);
    let token_file: Option<PathBuf> = read(&sections, "token_file", &mut faults);
    for kind in KINDS {
        let Some(service) = read_or_tell(kind.name, (kind.read)(&sections), &mut faults) else { continue };
        let common = service.common();
        database_faults(kind.name, &common.database, &mut faults);
        port_faults(kind.name, &common.grpc, &roles, &mut faults);
        faults.extend(service.faults());
        if let (Some(calls), None) = (kind.calls(), &token_file) {
            let (name, title) = (kind.name, kind.title());
            faults.push(told!(
                "token_file: {title} needs one, for its calls to {calls}",
                "token_file：{name} 要调用其他服务，须填写它的令牌文件"
            ));
        }
    }
    let owners: Owners = read(&sections, "migrate", &mut faults);
    for kind in KINDS {
        if let Some(url) = owners.url(kind) {
            url_faults(&format!("migrate.{}_url", kind.name), url, &mut faults);
        }
    }
    faults
}

/// Reads a single section, so that a faulty one hides no other. If it cannot be read, the default is used.
fn read<T: DeserializeOwned + Default>(sections: &Sections, name: &str, faults: &mut Vec<String>) -> T {
    read_or_tell(name, sections.get(name), faults).unwrap_or_default()
}

fn read_or_tell<T>(name: &str, read: Result<Option<T>, ConfigError>, faults: &mut Vec<String>) -> Option<T> {
    read.unwrap_or_else(|error| {
        // The first part only says that something is wrong.
        let text = std::error::Error::source(&error).map_or_else(|| error.to_string(), chain);
        faults.push(told!("{name}: {text}", "{name}：{text}"));
        None
    })
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

    #[tokio::test]
    async fn monitoring_needs_keys_that_can_be_read() {
        let found = faults(
            "token_file = 't'
             [monitoring]
             pairing = 'http://pairing:7001'
             request_key_files = { 1 = '/nowhere.requests' }
             [monitoring.database]
             url = 'postgres://app@db/monitoring'
             [monitoring.personal]
             current_key = 1
             key_files = { 1 = '/nowhere.key' }
             index_key_file = '/nowhere.index'",
        );
        let [fault, requests] = found.as_slice() else { panic!("{found:#?}") };
        assert!(
            requests.starts_with("monitoring.request_key_files: version 1: cannot read key file /nowhere.requests")
        );
        assert!(fault.starts_with("monitoring.personal: ") && fault.contains("/nowhere.key"), "{fault}");
    }
}
