//! Secrets in settings, masked for display.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// An address of another service, such as `http://shop:7001`. A user or a query in it may be a secret, so only
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

/// The parts of a URL whose user information may contain characters that should be encoded there.
struct Parts<'url> {
    /// The scheme, with its separator.
    scheme: &'url str,
    login: Option<&'url str>,
    /// Host and path.
    place: &'url str,
    /// Query and fragment, with their separators.
    more: &'url str,
}

impl<'url> Parts<'url> {
    /// A password may contain a slash or a question mark, against the rules, and a query may contain an @: what may be
    /// either is treated as password.
    fn of(url: &'url str) -> Self {
        let (scheme, rest) = url.split_at(url.find("://").map_or(0, |at| at + 3));
        let (login, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => (Some(login), rest),
            None => (None, rest),
        };
        let (place, more) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
        Self { scheme, login, place, more }
    }
}

/// A URL without its user information, query and fragment: nobody knows which part of those is secret.
fn without_secrets(url: &str) -> String {
    let Parts { scheme, login, place, more } = Parts::of(url);
    let login = if login.is_some() { "***@" } else { "" };
    let more = if more.is_empty() { String::new() } else { format!("{}***", &more[..1]) };
    format!("{scheme}{login}{place}{more}")
}

/// For `serialize_with`: a URL without its password.
///
/// # Errors
/// When the serializer fails.
pub fn url<S: Serializer>(url: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&masked(url))
}

/// For `serialize_with`: an optional URL without its password.
///
/// # Errors
/// When the serializer fails.
pub fn url_if_any<S: Serializer>(url: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match url {
        Some(url) => serializer.serialize_some(&masked(url)),
        None => serializer.serialize_none(),
    }
}

/// Parameters of a database URL that are no secrets. Others may be.
const SHOWN: [&str; 7] = ["host", "port", "user", "dbname", "sslmode", "sslrootcert", "application_name"];

/// A URL without its password, which is between the user and the host or among the parameters.
fn masked(url: &SecretString) -> String {
    let Parts { scheme, login, place, more } = Parts::of(url.expose_secret());
    let login = match login.map(|login| login.split_once(':').map_or((login, None), |(user, rest)| (user, Some(rest))))
    {
        None => String::new(),
        Some((user, Some(_))) => format!("{user}:***@"),
        // A NATS token is where a user would be.
        Some((user, None)) if scheme.starts_with("postgres") && !user.contains(['/', '?', '#']) => format!("{user}@"),
        Some((_, None)) => "***@".to_owned(),
    };
    let hide = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if !SHOWN.contains(&name) => format!("{name}=***"),
        Some(_) => parameter.to_owned(),
        None => "***".to_owned(),
    };
    let more = match more.split_at_checked(1) {
        None => String::new(),
        Some(("?", parameters)) => format!("?{}", parameters.split('&').map(hide).collect::<Vec<_>>().join("&")),
        Some((sign, _)) => format!("{sign}***"),
    };
    format!("{scheme}{login}{place}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_neither_user_nor_query_is_shown() {
        for (address, shown) in [
            ("http://shop:7001", "http://shop:7001"),
            ("https://user:se/cr@et@host:1/keys", "https://***@host:1/keys"),
            ("https://token@host/keys?key=secret&x=1", "https://***@host/keys?***"),
            ("https://host/keys#secret", "https://host/keys#***"),
            ("user:secret@host", "***@host"),
            ("https://user:pa?se#cr@et@host/keys?a=b", "https://***@host/keys?***"),
            ("https://host/keys?who=secret@example", "https://***@example"),
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
            ("nats://user:se?cr#et@nats:4222", "nats://user:***@nats:4222"),
            ("nats://se?cret@nats:4222", "nats://***@nats:4222"),
            ("nats://user:secret@nats:4222?x=secret", "nats://user:***@nats:4222?x=***"),
            ("nats://nats:4222?secret#secret", "nats://nats:4222?***"),
            ("postgres://app:se?cret@db/x?host=/run&password=secret", "postgres://app:***@db/x?host=/run&password=***"),
            ("postgres://se?cret@db/x", "postgres://***@db/x"),
            ("user:secret@nats", "user:***@nats"),
        ] {
            assert_eq!(masked(&SecretString::from(url)), shown);
        }
    }
}
