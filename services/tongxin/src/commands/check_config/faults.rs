//! All that is wrong with a configuration, not only the first thing.

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
    str::FromStr as _,
};

use http::Uri;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use tongxin_platform::{
    access::{Access, AccessConfig, IssuerConfig, MethodPermissions},
    broker::BrokerConfig,
    clock::Clock,
    config,
    db::DbConfig,
    error::chain,
    grpc::{self, GrpcConfig, ServerTlsConfig, TlsConfig},
    personal::{BlindIndex, MasterKeys, PersonalConfig},
    region::RegionCode,
    request::{RequestKeyError, RequestKeys},
    secret::Address,
    telemetry::TelemetryConfig,
};
use tongxin_proto::{POOL, monitoring::v1::Department, words::Word as _};
use tracing_subscriber::EnvFilter;

use crate::{
    services::ServiceName,
    settings::{GraceSeconds, Owners},
};

/// Reads one section by itself, so that one that is wrong hides no other.
macro_rules! section {
    ($name:ident, $kind:ty) => {
        fn $name(file: &Path, faults: &mut Vec<String>) -> $kind {
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

/// What is wrong, one line each.
pub fn find(file: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    match config::load::<BTreeMap<String, Value>>(Some(file)) {
        Ok(sections) => unknown_sections(sections.keys(), &mut faults),
        // Not even TOML or YAML, so nothing else can be said.
        Err(error) => return vec![chain(&error)],
    }
    let access = access(file, &mut faults);
    let roles: HashSet<String> = access.roles.keys().cloned().collect();
    access_faults(access, &mut faults);
    nats_faults(&nats(file, &mut faults), &mut faults);
    telemetry_faults(&telemetry(file, &mut faults), &mut faults);
    grace_seconds(file, &mut faults);
    let token_file = token_file(file, &mut faults);
    if let Some(pairing) = pairing(file, &mut faults) {
        database_faults("pairing", &pairing.database, &mut faults);
        share_faults("pairing", &pairing.grpc, &roles, &mut faults);
        request_key_faults("pairing", pairing.request_keys(), &mut faults);
        tls_faults("pairing.grpc.tls", pairing.grpc.tls.as_ref(), &mut faults);
    }
    if let Some(monitoring) = monitoring(file, &mut faults) {
        database_faults("monitoring", &monitoring.database, &mut faults);
        share_faults("monitoring", &monitoring.grpc, &roles, &mut faults);
        connection_faults("monitoring.pairing", monitoring.pairing.expose(), &monitoring.pairing_tls, &mut faults);
        key_faults(&monitoring.personal, &mut faults);
        request_key_faults("monitoring", monitoring.request_keys(), &mut faults);
        tls_faults("monitoring.grpc.tls", monitoring.grpc.tls.as_ref(), &mut faults);
        if token_file.is_none() {
            faults.push("token_file: monitoring needs one, for its calls to pairing".to_owned());
        }
    }
    if let Some(gateway) = gateway(file, &mut faults) {
        database_faults("gateway", &gateway.database, &mut faults);
        share_faults("gateway", &gateway.grpc, &roles, &mut faults);
        tls_faults("gateway.grpc.tls", gateway.grpc.tls.as_ref(), &mut faults);
        for (name, address) in &gateway.upstreams {
            connection_faults(
                &format!("gateway.upstreams.{name}"),
                address.expose(),
                &gateway.upstream_tls,
                &mut faults,
            );
        }
        if token_file.is_none() {
            faults.push("token_file: the gateway needs one, for its calls to other services".to_owned());
        }
    }
    let owners = migrate(file, &mut faults);
    for service in ServiceName::ALL {
        if let Some(url) = owners.url(service) {
            url_faults(&format!("migrate.{}_url", service.name()), url, &mut faults);
        }
    }
    faults
}

/// What cannot be read counts as not said.
fn read<T: DeserializeOwned + Default>(section: &str, file: &Path, faults: &mut Vec<String>) -> T {
    config::load(Some(file)).unwrap_or_else(|error| {
        // The first part says no more than that something is wrong.
        let text = std::error::Error::source(&error).map_or_else(|| error.to_string(), chain);
        faults.push(format!("{section}: {text}"));
        T::default()
    })
}

fn unknown_sections<'name>(names: impl Iterator<Item = &'name String>, faults: &mut Vec<String>) {
    for name in names.filter(|name| !SECTIONS.contains(&name.as_str())) {
        faults.push(format!("{name}: there is no such setting; there are {}", SECTIONS.join(", ")));
    }
}

fn access_faults(access: AccessConfig, faults: &mut Vec<String>) {
    let known = MethodPermissions::known(&POOL);
    for (role, patterns) in &access.roles {
        for pattern in patterns.iter().filter(|pattern| !pattern.contains('*') && !known.contains(*pattern)) {
            faults.push(format!("access.roles.{role}: no service knows the permission {pattern:?}"));
        }
    }
    for role in access.limits.keys().filter(|role| !access.roles.contains_key(*role)) {
        faults.push(format!("access.limits.{role}: access.roles has no such role"));
    }
    let mut seen = HashSet::new();
    for issuer in access.issuers {
        let name = issuer.issuer.clone();
        if name.is_empty() {
            faults.push("access.issuers: one has no name (the iss claim of its tokens)".to_owned());
        }
        if !seen.insert(name.clone()) {
            faults.push(format!("access.issuers: {name} is there twice"));
        }
        mapping_faults(&issuer, &access.roles, faults);
        // Sets at an address are not fetched here.
        let alone = AccessConfig { issuers: vec![issuer], ..AccessConfig::default() };
        if let Err(error) = Access::new(alone, Clock::system()) {
            faults.push(format!("access.issuers {name}: {}", chain(&error)));
        }
    }
}

/// Words of an issuer have to mean something here.
fn mapping_faults(issuer: &IssuerConfig, roles: &BTreeMap<String, Vec<String>>, faults: &mut Vec<String>) {
    let name = &issuer.issuer;
    let given = issuer
        .roles_of_subject
        .iter()
        .flat_map(|(subject, roles)| roles.iter().map(move |role| (format!("roles_of_subject.{subject}"), role)));
    let mapped = issuer.role_of.iter().map(|(word, role)| (format!("role_of.{word}"), role));
    for (setting, role) in mapped.chain(given).filter(|(_, role)| !roles.contains_key(*role)) {
        faults.push(format!("access.issuers {name}: {setting}: access.roles has no role {role:?}"));
    }
    let read = if issuer.may_be_national { RegionCode::parse_of_caller } else { RegionCode::parse };
    let by_word = issuer.region_of.iter().map(|(word, code)| (format!("region_of.{word}"), code));
    let by_subject = issuer.region_of_subject.iter().map(|(who, code)| (format!("region_of_subject.{who}"), code));
    let default = issuer.default_region.iter().map(|code| ("default_region".to_owned(), code));
    for (setting, code) in by_word.chain(by_subject).chain(default) {
        if let Err(error) = read(code) {
            faults.push(format!("access.issuers {name}: {setting}: {code:?}: {error}"));
        }
    }
    for (subject, department) in &issuer.department_of_subject {
        if let Err(error) = Department::named(department) {
            faults.push(format!("access.issuers {name}: department_of_subject.{subject}: {error}"));
        }
    }
}

fn telemetry_faults(telemetry: &TelemetryConfig, faults: &mut Vec<String>) {
    if let Err(error) = telemetry.log.parse::<EnvFilter>() {
        faults.push(format!("telemetry.log: {error}"));
    }
    let is_address = |endpoint: &Address| {
        let uri = endpoint.expose().parse::<Uri>().ok();
        uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
    };
    if let Some(endpoint) = telemetry.otlp_endpoint.as_ref().filter(|endpoint| !is_address(endpoint)) {
        faults.push(format!("telemetry.otlp_endpoint: {endpoint} is no address, such as http://collector:4317"));
    }
    if !(0.0..=1.0).contains(&telemetry.sample_ratio) {
        faults.push("telemetry.sample_ratio: a number from 0 to 1 is needed".to_owned());
    }
}

/// Shares are stated for roles, and for subjects, in whose names stands who issued them.
fn share_faults(section: &str, grpc: &GrpcConfig, roles: &HashSet<String>, faults: &mut Vec<String>) {
    for name in grpc.shares.keys().filter(|name| !name.contains('|') && !roles.contains(*name)) {
        faults.push(format!(
            "{section}.grpc.shares.{name}: access.roles has no such role; a subject is named `issuer|subject`"
        ));
    }
}

fn nats_faults(nats: &BrokerConfig, faults: &mut Vec<String>) {
    let url = nats.url.expose_secret();
    if !["nats://", "tls://", "ws://", "wss://"].iter().any(|scheme| url.starts_with(scheme)) {
        faults.push("nats.url: a URL such as nats://nats:4222 or tls://nats:4222 is needed".to_owned());
    }
    if nats.user.is_some() != nats.password_file.is_some() {
        faults.push("nats.user and nats.password_file: one needs the other".to_owned());
    }
    if let Some(file) = nats.password_file.as_ref().filter(|file| !file.is_file()) {
        faults.push(format!("nats.password_file: there is no file {}", file.display()));
    }
    if let Some(file) = nats.credentials_file.as_ref().filter(|file| !file.is_file()) {
        faults.push(format!("nats.credentials_file: there is no file {}", file.display()));
    }
}

fn database_faults(section: &str, database: &DbConfig, faults: &mut Vec<String>) {
    url_faults(&format!("{section}.database.url"), &database.url, faults);
    if database.max_connections == 0 {
        faults.push(format!("{section}.database.max_connections: at least 1 is needed"));
    }
}

fn url_faults(setting: &str, url: &SecretString, faults: &mut Vec<String>) {
    let text = url.expose_secret();
    let is_postgres = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
    if !is_postgres || PgConnectOptions::from_str(text).is_err() {
        // Not the error itself, which may repeat the password.
        faults.push(format!("{setting}: a URL such as postgres://user@host:5432/database is needed"));
    }
}

fn connection_faults(setting: &str, address: &str, tls: &TlsConfig, faults: &mut Vec<String>) {
    if let Err(error) = grpc::secure_channel(address, tls) {
        faults.push(format!("{setting}: {}", chain(&error)));
    }
}

fn tls_faults(section: &str, tls: Option<&ServerTlsConfig>, faults: &mut Vec<String>) {
    let found = tls.map(|tls| tls.faults(Clock::system().now())).unwrap_or_default();
    faults.extend(found.iter().map(|fault| format!("{section}.{}", chain(fault))));
}

fn key_faults(personal: &PersonalConfig, faults: &mut Vec<String>) {
    let keys = MasterKeys::load(personal).map(drop).and_then(|()| BlindIndex::load(personal).map(drop));
    if let Err(error) = keys {
        faults.push(format!("monitoring.personal: {}", chain(&error)));
    }
}

fn request_key_faults(section: &str, keys: Result<RequestKeys, RequestKeyError>, faults: &mut Vec<String>) {
    if let Err(error) = keys {
        faults.push(format!("{section}.{}", chain(&error)));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn faults(text: &str) -> Vec<String> {
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

    #[test]
    fn words_of_issuers_have_to_mean_something() {
        let found = faults(
            "token_file = 't'
             [telemetry]
             otlp_endpoint = 'collector:4317/%zz'
             sample_ratio = 2.0
             [access.limits]
             boss = { look_ups_per_hour = 1 }
             [[access.issuers]]
             issuer = 'https://sso.example/realms/demo'
             keys = { jwks_url = 'sso.example/keys' }
             role_of = { manager = 'boss', clerk = 'county' }
             roles_of_subject = { robot = ['system', 'robot'] }
             region_of = { yingde = '441881000000', qingyuan = '4418' }
             region_of_subject = { robot = '000000000000' }
             default_region = 'Guangdong'
             department_of_subject = { tax = 'medical_insurance', water = 'fire' }
             [[access.issuers]]
             issuer = 'https://sso.example/realms/demo'
             keys = { jwks_url = 'http://sso.example/keys' }
             keys_token_file = '/nowhere/token'
             [gateway.database]
             url = 'postgres://app@db/gateway'
             [gateway.grpc]
             shares = { system = 50, boss = 10, 'https://sso.example|robot' = 50 }",
        );
        for (fault, start) in found.iter().zip([
            "access.limits.boss: ",
            "access.issuers https://sso.example/realms/demo: role_of.manager: ",
            "access.issuers https://sso.example/realms/demo: roles_of_subject.robot: ",
            "access.issuers https://sso.example/realms/demo: region_of.qingyuan: ",
            "access.issuers https://sso.example/realms/demo: region_of_subject.robot: ",
            "access.issuers https://sso.example/realms/demo: default_region: ",
            "access.issuers https://sso.example/realms/demo: department_of_subject.water: ",
            "access.issuers https://sso.example/realms/demo: sso.example/keys is no address of a key set",
            "access.issuers: https://sso.example/realms/demo is there twice",
            "access.issuers https://sso.example/realms/demo: cannot read the key file /nowhere/token",
            "telemetry.otlp_endpoint: ",
            "telemetry.sample_ratio: ",
            "gateway.grpc.shares.boss: ",
        ]) {
            assert!(fault.starts_with(start), "{fault} is not {start}");
        }
        assert_eq!(found.len(), 13, "{found:#?}");
    }

    #[test]
    fn a_port_that_speaks_tls_needs_a_certificate_that_is_good_and_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let faults = |section: &str, tls: &str| {
            faults(&format!(
                "token_file = 't'
                 [{section}.grpc.tls]
                 {tls}
                 [{section}.database]
                 url = 'postgres://a@b/c'"
            ))
        };
        let at = |name: &str| folder.path().join(name).display().to_string();
        let sign = |name: &str, until: i32| {
            let mut params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
            params.not_after = rcgen::date_time_ymd(until, 1, 1);
            let key = rcgen::KeyPair::generate().unwrap();
            std::fs::write(at(&format!("{name}.crt")), params.self_signed(&key).unwrap().pem()).unwrap();
            std::fs::write(at(&format!("{name}.key")), key.serialize_pem()).unwrap();
        };
        sign("good", 2999);
        sign("expired", 2020);
        let pair = |certificate: &str, key: &str| {
            format!("certificate_file = '{}'\nkey_file = '{}'", at(certificate), at(key))
        };
        assert_eq!(faults("gateway", &pair("good.crt", "good.key")), [""; 0]);
        for (certificate, key, expected) in [
            ("expired.crt", "expired.key", &["certificate_file: the certificate for expired in "][..]),
            ("good.crt", "expired.key", &["key_file: the key in "]),
            ("good.key", "good.key", &["certificate_file: "]),
            ("no.crt", "no.key", &["certificate_file: cannot read ", "key_file: cannot read "]),
        ] {
            let found = faults("gateway", &pair(certificate, key));
            assert_eq!(found.len(), expected.len(), "{found:#?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.starts_with(&format!("gateway.grpc.tls.{expected}")), "{found}");
            }
        }
        let half = faults("gateway", "certificate_file = 'x'");
        assert!(half[0].starts_with("gateway: ") && half[0].contains("key_file"), "{half:#?}");
        let of_pairing = faults("pairing", &pair("no.crt", "good.key"));
        assert!(
            of_pairing.iter().any(|fault| fault.starts_with("pairing.grpc.tls.certificate_file: ")),
            "{of_pairing:#?}"
        );
    }

    #[tokio::test]
    async fn an_upstream_needs_an_address() {
        for (address, tls, fault) in [
            ("http://[", "", "is no address"),
            ("https://pairing:7001", "", "needs ca_file"),
            ("https://pairing:7001", "ca_file = '/nowhere.pem'", "cannot read /nowhere.pem"),
        ] {
            let found = faults(&format!(
                "token_file = 't'
                 [gateway]
                 upstreams = {{ pairing = '{address}' }}
                 upstream_tls = {{ {tls} }}
                 [gateway.database]
                 url = 'postgres://a@b/c'"
            ));
            assert!(found[0].starts_with("gateway.upstreams.pairing: ") && found[0].contains(fault), "{found:?}");
        }
    }
}
