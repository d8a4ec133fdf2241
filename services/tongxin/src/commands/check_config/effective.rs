//! Settings as they count, one line each.

use serde_json::Value;

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
        Value::Null => lines.push(format!("{path} is not set")),
        value => lines.push(format!("{path} = {value}")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tongxin_platform::config;

    use super::*;
    use crate::settings::Settings;

    const EVERYTHING: &str = "
        token_file = 't'
        [nats]
        url = 'nats://user:hidden@nats:4222'
        [pairing]
        entry_window_days = 400
        [pairing.database]
        url = 'postgres://app:hidden@db/pairing'
        [monitoring]
        pairing = 'http://pairing:7001'
        [monitoring.database]
        url = 'postgres://app:hidden@db/monitoring'
        [monitoring.personal]
        current_key = 1
        key_files = { 1 = '/keys/1' }
        index_key_file = '/keys/index'
        [gateway]
        cors_origins = ['https://board.example.gov.cn']
        [gateway.database]
        url = 'postgres://app@db/gateway?password=hidden'
        [migrate]
        pairing_url = 'postgres://owner:hidden@db/pairing'
        monitoring_url = 'postgres://owner:hidden@db/monitoring'
        gateway_url = 'postgres://owner:hidden@db/gateway'";

    fn shown(text: &str) -> Vec<String> {
        let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let settings: Settings = config::load(Some(file.path())).unwrap();
        lines(&serde_json::to_value(&settings).unwrap())
    }

    #[test]
    fn every_setting_is_shown_and_no_secret() {
        let shown = shown(EVERYTHING);
        for line in [
            "nats.url = \"nats://user:***@nats:4222\"",
            "nats.credentials_file is not set",
            "telemetry.otlp_endpoint is not set",
            "pairing.database.url = \"postgres://app:***@db/pairing\"",
            "pairing.database.statement_seconds = 30",
            "pairing.entry_window_days = 400",
            "monitoring.personal.key_files.1 = \"/keys/1\"",
            "monitoring.pairing_tls.ca_file is not set",
            "migrate.monitoring_url = \"postgres://owner:***@db/monitoring\"",
            "gateway.database.url = \"postgres://app@db/gateway?password=***\"",
            "gateway.grpc.accept_http1 = true",
            "gateway.upstreams = {}",
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
