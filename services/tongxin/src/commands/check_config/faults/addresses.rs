//! Faults of addresses: the broker, databases, and telemetry.

use std::str::FromStr as _;

use http::Uri;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;
use tongxin_platform::{broker::BrokerConfig, db::DbConfig, secret::Address, telemetry::TelemetryConfig};
use tracing_subscriber::EnvFilter;

use crate::lang::told;

pub(super) fn telemetry_faults(telemetry: &TelemetryConfig, faults: &mut Vec<String>) {
    if let Err(error) = telemetry.log.parse::<EnvFilter>() {
        faults.push(told!("telemetry.log: {error}", "telemetry.log：{error}"));
    }
    let is_address = |endpoint: &Address| {
        let uri = endpoint.expose().parse::<Uri>().ok();
        uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
    };
    if let Some(endpoint) = telemetry.otlp_endpoint.as_ref().filter(|endpoint| !is_address(endpoint)) {
        faults.push(told!(
            "telemetry.otlp_endpoint: {endpoint} is no address, such as http://collector:4317",
            "telemetry.otlp_endpoint：{endpoint} 不是网址，应写成 http://collector:4317 这样"
        ));
    }
    if !(0.0..=1.0).contains(&telemetry.sample_ratio) {
        faults.push(told!(
            "telemetry.sample_ratio: a number from 0 to 1 is needed",
            "telemetry.sample_ratio：应为 0 到 1 之间的数"
        ));
    }
}

pub(super) fn nats_faults(nats: &BrokerConfig, faults: &mut Vec<String>) {
    if !nats.has_address() {
        faults.push(told!(
            "nats.url: a URL such as nats://nats:4222 or tls://nats:4222 is needed",
            "nats.url：应为网址，例如 nats://nats:4222 或 tls://nats:4222"
        ));
    }
    if nats.user.is_some() != nats.password_file.is_some() {
        faults.push(told!(
            "nats.user and nats.password_file: one needs the other",
            "nats.user 和 nats.password_file：两项要同时填写"
        ));
    }
    if let Some(file) = nats.password_file.as_ref().filter(|file| !file.is_file()) {
        faults.push(told!(
            "nats.password_file: there is no file {}",
            "nats.password_file：没有文件 {}",
            file.display()
        ));
    }
    if let Some(file) = nats.credentials_file.as_ref().filter(|file| !file.is_file()) {
        faults.push(told!(
            "nats.credentials_file: there is no file {}",
            "nats.credentials_file：没有文件 {}",
            file.display()
        ));
    }
}

pub(super) fn database_faults(section: &str, database: &DbConfig, faults: &mut Vec<String>) {
    url_faults(&format!("{section}.database.url"), &database.url, faults);
    if database.max_connections == 0 {
        faults.push(told!(
            "{section}.database.max_connections: at least 1 is needed",
            "{section}.database.max_connections：至少为 1"
        ));
    }
}

pub(super) fn url_faults(setting: &str, url: &SecretString, faults: &mut Vec<String>) {
    let text = url.expose_secret();
    let is_postgres = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
    if !is_postgres || PgConnectOptions::from_str(text).is_err() {
        // Without the error, which may contain the password.
        faults.push(told!(
            "{setting}: a URL such as postgres://user@host:5432/database is needed",
            "{setting}：应为网址，例如 postgres://user@host:5432/database"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::faults;

    #[tokio::test]
    async fn an_upstream_needs_an_address() {
        for (address, tls, fault) in [
            ("http://[", "", "is no address"),
            ("pairing:7001", "", "is no address"),
            ("ftp://pairing", "", "is no address"),
            ("unix:/run/pairing", "", "is no address"),
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

    #[tokio::test]
    async fn an_upstream_is_a_service_that_the_contract_knows() {
        let found = faults(
            "token_file = 't'
             [gateway]
             upstreams = { pairing = 'http://pairing:7001', parings = 'http://pairing:7001', gateway = 'http://g:1' }
             [gateway.database]
             url = 'postgres://a@b/c'",
        );
        let [own, unknown] = found.as_slice() else { panic!("{found:#?}") };
        assert!(own.starts_with("gateway.upstreams.gateway: the gateway passes nothing on"), "{own}");
        assert!(
            unknown.starts_with("gateway.upstreams.parings: ") && unknown.ends_with("there are monitoring, pairing")
        );
    }

    #[test]
    fn the_broker_needs_an_address_that_can_be_read() {
        for url in ["nats:4222", "http://nats:4222", "nats://", "nats://user:se?cret@nats:4222", "nats://nats:port"] {
            let found = faults(&format!("[nats]\nurl = '{url}'"));
            let [fault] = found.as_slice() else { panic!("{url}: {found:#?}") };
            assert!(fault.starts_with("nats.url: ") && !fault.contains("cret"), "{fault}");
        }
        for url in ["nats://nats:4222", "tls://user:secret@nats", "wss://token@nats:443"] {
            assert_eq!(faults(&format!("[nats]\nurl = '{url}'")), [""; 0], "{url}");
        }
    }
}
