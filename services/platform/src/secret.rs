//! Secrets in settings, in the form in which people may see them.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// An address of something else, such as `http://pairing:7001`. A user or a query in it may be a secret, so only
/// [`expose`](Self::expose) shows them.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Address(String);

impl Address {
    /// The address as it was set.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Address {
    fn from(address: String) -> Self {
        Self(address)
    }
}

impl From<&str> for Address {
    fn from(address: &str) -> Self {
        Self(address.to_owned())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&without_secrets(&self.0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", without_secrets(&self.0))
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A URL without its user information, query and fragment: which part of those is secret nobody knows.
fn without_secrets(url: &str) -> String {
    let (address, more) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    let (scheme, rest) = address.split_once("://").map_or(("", address), |(scheme, rest)| (scheme, rest));
    let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    // A password may have a slash in it, against the rules.
    let rest = rest.rsplit_once('@').map_or_else(|| rest.to_owned(), |(_, host)| format!("***@{host}"));
    let more = if more.is_empty() { String::new() } else { format!("{}***", &more[..1]) };
    format!("{scheme}{rest}{more}")
}

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

/// Parameters of a database's URL that are no secrets. Of others nobody knows.
const SHOWN: [&str; 7] = ["host", "port", "user", "dbname", "sslmode", "sslrootcert", "application_name"];

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
        Some((name, _)) if !SHOWN.contains(&name) => format!("{name}=***"),
        _ => parameter.to_owned(),
    };
    format!("{address}?{}", parameters.split('&').map(hide).collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_neither_user_nor_query_is_shown() {
        for (address, shown) in [
            ("http://pairing:7001", "http://pairing:7001"),
            ("https://user:se/cr@et@host:1/keys", "https://***@host:1/keys"),
            ("https://token@host/keys?key=secret&x=1", "https://***@host/keys?***"),
            ("https://host/keys#secret", "https://host/keys#***"),
            ("user:secret@host", "***@host"),
            ("", ""),
        ] {
            let address = Address::from(address);
            assert_eq!((address.to_string(), format!("{address:?}")), (shown.to_owned(), format!("{shown:?}")));
            assert_eq!(serde_json::to_value(&address).unwrap(), shown);
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("postgres://app:se:cr@et@db:5432/x?sslmode=require", "postgres://app:***@db:5432/x?sslmode=require"),
            ("postgres:///x?host=/run&user=app&password=secret", "postgres:///x?host=/run&user=app&password=***"),
            ("postgres://app@db/x?sslkey=secret&sslmode=require", "postgres://app@db/x?sslkey=***&sslmode=require"),
            ("postgres://app@db/x", "postgres://app@db/x"),
            ("nats://token@nats:4222", "nats://***@nats:4222"),
            ("nats://user:secret@nats:4222", "nats://user:***@nats:4222"),
            ("nats://nats:4222", "nats://nats:4222"),
        ] {
            assert_eq!(masked(&SecretString::from(url)), shown);
        }
    }
}
