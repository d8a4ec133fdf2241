//! Supported versions of the programs.

use std::fmt;

use crate::error::ServersError;

/// Requests a major version of Postgres, for example `18`.
const VARIABLE: &str = "TONGXIN_POSTGRES";

const OLDEST_POSTGRES: u32 = 15;

/// Older ones lose acknowledged messages or stall consumers.
pub(crate) const OLDEST_NATS: &str = "2.14.5";

/// Acceptable major versions of Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PostgresVersion {
    /// Any supported one.
    Any,
    /// The one requested by the environment.
    Exactly(u32),
}

impl PostgresVersion {
    /// The version requested by the environment.
    #[expect(clippy::disallowed_methods, reason = "a choice for all who start servers, also in tests")]
    pub fn asked_for() -> Result<Self, ServersError> {
        std::env::var_os(VARIABLE).map_or(Ok(Self::Any), |text| Self::parse(&text.to_string_lossy()))
    }

    fn parse(text: &str) -> Result<Self, ServersError> {
        match text.parse() {
            _ if text.is_empty() => Ok(Self::Any),
            Ok(major) if major >= OLDEST_POSTGRES => Ok(Self::Exactly(major)),
            _ => Err(ServersError::NoVersion { variable: VARIABLE, text: text.to_owned(), oldest: OLDEST_POSTGRES }),
        }
    }

    pub fn will_do(self, major: u32) -> bool {
        match self {
            Self::Any => major >= OLDEST_POSTGRES,
            Self::Exactly(asked_for) => major == asked_for,
        }
    }
}

impl fmt::Display for PostgresVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => write!(f, "{OLDEST_POSTGRES} or newer"),
            Self::Exactly(major) => write!(f, "{major} ({VARIABLE} asks for it)"),
        }
    }
}

/// `postgres (PostgreSQL) 15.18 (Debian ...)` is 15.
pub(crate) fn major(said: &str) -> Option<u32> {
    release(said)?.first().copied()
}

/// `nats-server: v2.15.1` is `[2, 15, 1]`; a pre-release counts as its release.
pub(crate) fn release(said: &str) -> Option<Vec<u32>> {
    let start = said.find(|letter: char| letter.is_ascii_digit())?;
    let digits = said[start..].split(|letter: char| !letter.is_ascii_digit() && letter != '.').next()?;
    digits.split('.').map(|part| part.parse().ok()).collect()
}

#[test]
fn versions_compare_by_number() {
    assert_eq!(release("nats-server: v2.15.1"), Some(vec![2, 15, 1]));
    assert!(release("nats-server: v2.9.10") < release(OLDEST_NATS));
    assert!(release("nats-server: v2.14.10") > release(OLDEST_NATS));
    assert_eq!(major("postgres (PostgreSQL) 17beta1 (Debian 17~beta1)"), Some(17));
    assert_eq!(release("no version here"), None);
}

#[test]
fn who_asks_for_a_version_gets_no_other() {
    let asked_for = PostgresVersion::parse("18").unwrap();
    assert_eq!([15, 17, 18, 19].map(|major| asked_for.will_do(major)), [false, false, true, false]);
    let any = PostgresVersion::parse("").unwrap();
    assert_eq!([14, 15, 18].map(|major| any.will_do(major)), [false, true, true]);
    for text in ["14", "18.4", "newest"] {
        assert!(PostgresVersion::parse(text).unwrap_err().to_string().contains(text));
    }
}
