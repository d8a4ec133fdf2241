//! Settings as they count, for showing: without secrets.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tongxin_platform::db::DbConfig;

use crate::{services::ServiceName, settings::Settings};

/// All settings, with what is secret masked.
pub fn of(settings: &Settings) -> Value {
    let pairing = settings.pairing.as_ref().map(|config| {
        json!({
            "database": database(&config.database),
            "grpc": config.grpc,
            "admin": config.admin,
            "coverage": config.coverage,
        })
    });
    let gateway = settings.gateway.as_ref().map(|config| {
        json!({
            "database": database(&config.database),
            "grpc": config.grpc,
            "admin": config.admin,
            "upstreams": config.upstreams,
        })
    });
    let owner = |service| settings.migrate.url(service).map(masked);
    json!({
        "access": settings.access,
        "nats": { "url": masked(&settings.nats.url), "credentials_file": settings.nats.credentials_file },
        "telemetry": settings.telemetry,
        "token_file": settings.token_file,
        "grace_seconds": settings.grace_seconds.0,
        "pairing": pairing,
        "gateway": gateway,
        "migrate": {
            "pairing_url": owner(ServiceName::Pairing),
            "gateway_url": owner(ServiceName::Gateway),
        },
    })
}

/// One line for each setting that is set, such as `pairing.database.max_connections = 16`.
pub fn lines(settings: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    collect(settings, "", &mut lines);
    lines
}

fn collect(value: &Value, path: &str, lines: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(field, &path, lines);
            }
        }
        Value::Null => {}
        value => lines.push(format!("{path} = {value}")),
    }
}

fn database(config: &DbConfig) -> Value {
    json!({
        "url": masked(&config.url),
        "max_connections": config.max_connections,
        "acquire_seconds": config.acquire_seconds,
        "statement_seconds": config.statement_seconds,
    })
}

/// A URL without its password, which stands between the user and the host or among the parameters.
fn masked(url: &SecretString) -> String {
    let url = url.expose_secret();
    let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
    let address = match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((login, host))) => {
            let login = login.get(scheme.len() + 3..).unwrap_or_default();
            match login.split_once(':') {
                Some((user, _)) => format!("{scheme}://{user}:***@{host}"),
                // A NATS token stands where a user would.
                None if scheme.starts_with("postgres") => address.to_owned(),
                None => format!("{scheme}://***@{host}"),
            }
        }
        _ => address.to_owned(),
    };
    if parameters.is_empty() {
        return address;
    }
    let hide = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if name.contains("password") => format!("{name}=***"),
        _ => parameter.to_owned(),
    };
    format!("{address}?{}", parameters.split('&').map(hide).collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("postgres://app:se:cr@et@db:5432/x?sslmode=require", "postgres://app:***@db:5432/x?sslmode=require"),
            ("postgres:///x?host=/run&user=app&password=secret", "postgres:///x?host=/run&user=app&password=***"),
            ("postgres://app@db/x", "postgres://app@db/x"),
            ("nats://token@nats:4222", "nats://***@nats:4222"),
            ("nats://user:secret@nats:4222", "nats://user:***@nats:4222"),
            ("nats://nats:4222", "nats://nats:4222"),
        ] {
            assert_eq!(masked(&SecretString::from(url)), shown);
        }
    }

    #[test]
    fn settings_become_lines() {
        let settings = json!({"a": {"b": 1, "c": null}, "d": ["x"]});
        assert_eq!(lines(&settings), ["a.b = 1", "d = [\"x\"]"]);
    }
}
