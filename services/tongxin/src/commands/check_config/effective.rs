//! Effective settings, one line each.

use serde_json::Value;

use crate::lang::told;

/// One line for each setting, such as `pairing.database.max_connections = 16`.
pub fn lines(settings: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    collect(settings, "", &mut lines);
    lines
}

fn collect(value: &Value, path: &str, lines: &mut Vec<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(field, &path, lines);
            }
        }
        Value::Null => lines.push(told!("{path} is not set", "{path} 没有填写")),
        value => lines.push(format!("{path} = {value}")),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, io::Write as _};

    use tongxin_platform::config::Sections;

    use super::*;
    use crate::settings::Settings;

    const EVERYTHING: &str = "
        token_file = 't'
        [[access.issuers]]
        issuer = 'https://login.example.gov.cn'
        keys = { jwks_url = 'https://user:hidden@login.example.gov.cn/keys?key=hidden' }
        [telemetry]
        otlp_endpoint = 'https://user:hidden@collector:4317/?key=hidden'
        [nats]
        url = 'nats://user:hidden@nats:4222'
        [pairing]
        entry_window_days = 400
        [pairing.database]
        url = 'postgres://app:hidden@db/pairing'
        [monitoring]
        pairing = 'https://hidden@pairing:7001?key=hidden'
        [monitoring.database]
        url = 'postgres://app:hidden@db/monitoring'
        [monitoring.personal]
        current_key = 1
        key_files = { 1 = '/keys/1' }
        index_key_file = '/keys/index'
        [gateway]
        cors_origins = ['https://board.example.gov.cn']
        upstreams = { pairing = 'https://user:hidden@pairing:7001?key=hidden' }
        [gateway.database]
        url = 'postgres://app@db/gateway?password=hidden'
        [gateway.grpc.tls]
        certificate_file = '/tls/tls.crt'
        key_file = '/tls/tls.key'
        [migrate]
        pairing_url = 'postgres://owner:hidden@db/pairing'
        monitoring_url = 'postgres://owner:hidden@db/monitoring'
        gateway_url = 'postgres://owner:hidden@db/gateway'";

    /// Text settings that are never addresses, so they are not masked.
    const NO_ADDRESS: [&str; 2] = ["telemetry.log", "nats.user"];

    fn with(text: &str, variables: BTreeMap<String, String>) -> Option<Value> {
        let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let sections = Sections::read_within(Some(file.path()), Some(variables)).unwrap();
        Some(Settings::of(&sections).ok()?.shown().unwrap())
    }

    fn shown(text: &str) -> Vec<String> {
        lines(&with(text, BTreeMap::new()).unwrap())
    }

    /// Paths of all settings that are texts or unset.
    fn texts(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    texts(field, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, found);
                }
            }
            Value::String(_) | Value::Null => found.push(path.to_owned()),
            _ => {}
        }
    }

    /// Covers future settings, too: each has to mask secrets in an address, or be a file name.
    #[test]
    fn whatever_setting_an_address_is_put_into_its_secrets_are_not_shown() {
        let mut settings = Vec::new();
        texts(&with(EVERYTHING, BTreeMap::new()).unwrap(), "", &mut settings);
        assert!(settings.len() > 20, "{settings:?}");
        let address = "https://user:hidden@host:1/path?key=hidden&password=hidden";
        let mut masked = 0;
        for setting in settings {
            let variable = format!("TONGXIN__{}", setting.to_uppercase().replace('.', "__"));
            // Settings that accept no address are skipped.
            let Some(value) = with(EVERYTHING, BTreeMap::from([(variable, address.to_owned())])) else { continue };
            let text = lines(&value).into_iter().find(|line| line.starts_with(&format!("{setting} = "))).unwrap();
            let is_file = setting.contains("_file") || setting.contains(".key_files.");
            if text.contains("hidden") {
                assert!(is_file || NO_ADDRESS.contains(&setting.as_str()), "{text}");
            } else {
                masked += 1;
            }
        }
        assert!(masked >= 10, "only {masked} settings took the address");
    }

    #[test]
    fn every_setting_is_shown_and_no_secret() {
        let shown = shown(EVERYTHING);
        for line in [
            "nats.url = \"nats://user:***@nats:4222\"",
            "nats.credentials_file is not set",
            "telemetry.otlp_endpoint = \"https://***@collector:4317/?***\"",
            "monitoring.pairing = \"https://***@pairing:7001?***\"",
            "token_file = \"t\"",
            "pairing.database.url = \"postgres://app:***@db/pairing\"",
            "pairing.database.statement_seconds = 30",
            "pairing.entry_window_days = 400",
            "monitoring.personal.key_files.1 = \"/keys/1\"",
            "monitoring.pairing_tls.ca_file is not set",
            "migrate.monitoring_url = \"postgres://owner:***@db/monitoring\"",
            "gateway.database.url = \"postgres://app@db/gateway?password=***\"",
            "gateway.grpc.accept_http1 = true",
            "gateway.grpc.tls.certificate_file = \"/tls/tls.crt\"",
            "gateway.grpc.tls.handshake_seconds = 10",
            "pairing.grpc.tls is not set",
            "gateway.hsts_seconds = 31536000",
            "gateway.upstreams.pairing = \"https://***@pairing:7001?***\"",
            "gateway.cors_origins = [\"https://board.example.gov.cn\"]",
            "gateway.metrics_regions = 4000",
            "migrate.pairing_url = \"postgres://owner:***@db/pairing\"",
        ] {
            assert!(shown.iter().any(|found| found == line), "{line} is not among {shown:#?}");
        }
        assert!(!shown.iter().any(|line| line.contains("hidden")), "{shown:#?}");
    }

    #[test]
    fn a_service_that_is_not_configured_is_said_to_be_so() {
        let shown = shown("");
        assert!(shown.contains(&"pairing is not set".to_owned()), "{shown:#?}");
    }
}
