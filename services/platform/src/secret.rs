//! Secrets in settings, in the form in which people may see them.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serializer;

/// For `serialize_with`: a URL without its password.
///
/// # Errors
/// When the serializer fails.
pub fn url<S: Serializer>(url: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&masked(url))
}

/// For `serialize_with`: a URL without its password, or none.
///
/// # Errors
/// When the serializer fails.
pub fn url_if_any<S: Serializer>(url: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match url {
        Some(url) => serializer.serialize_some(&masked(url)),
        None => serializer.serialize_none(),
    }
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
}
