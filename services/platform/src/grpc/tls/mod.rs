//! TLS at a server's port: certificate and key, which are reloaded while it serves, and handshakes beside accepting.

mod certificate;
mod current;
mod files;
mod handshake;
mod metrics;

use std::{io, path::PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock::local_time;
use certificate::Standing;
use files::Files;

pub(super) use current::{Current, Looks};
pub(super) use handshake::secured;

/// Certificate and key of a server. Both files are read again while it serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerTlsConfig {
    /// PEM file with the server's certificate, and after it those of the authorities between it and the root.
    pub certificate_file: PathBuf,
    /// PEM file with its key: PKCS#8, PKCS#1 or SEC1.
    pub key_file: PathBuf,
    /// Seconds that a handshake may take; 10 by default.
    #[serde(default = "default_handshake_seconds")]
    pub handshake_seconds: u64,
    /// Seconds after which the files are read again; 5 by default. A change is served once two reads agree.
    #[serde(default = "default_reload_seconds")]
    pub reload_seconds: u64,
}

const fn default_handshake_seconds() -> u64 {
    10
}

const fn default_reload_seconds() -> u64 {
    5
}

/// Why a certificate and key cannot be used. Each variant names its setting.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{setting}: cannot read {path}")]
    File {
        /// The setting that names it.
        setting: &'static str,
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading the files does not finish.
    #[error("certificate_file: {0} or key_file cannot be read: that takes too long")]
    TooSlow(PathBuf),
    /// A file holds no certificate.
    #[error("certificate_file: {0} is no PEM file with certificates")]
    NoCertificate(PathBuf),
    /// No client would accept the certificate.
    #[error("certificate_file: the first certificate in {0} cannot be used")]
    Unsound(PathBuf, #[source] rustls::Error),
    /// A file holds no key.
    #[error("key_file: {0} is no PEM file with a private key (PKCS#8, PKCS#1 or SEC1, not encrypted)")]
    NoKey(PathBuf),
    /// The key belongs to another certificate.
    #[error("key_file: the key in {key} is not that of the first certificate in {certificate}")]
    Mismatch {
        /// Path of the key.
        key: PathBuf,
        /// Path of the certificate.
        certificate: PathBuf,
    },
    /// TLS cannot use the key.
    #[error("key_file: the key in {0} cannot be used: RSA of 2048 bits or more, P-256, P-384 or Ed25519 is needed")]
    Unusable(PathBuf, #[source] rustls::Error),
    /// The certificate has expired.
    #[error("certificate_file: the certificate for {names} in {path} has expired on {}", at(.since))]
    Expired {
        /// Path of the certificate.
        path: PathBuf,
        /// The names in the certificate.
        names: String,
        /// When it expired.
        since: DateTime<Utc>,
    },
    /// The certificate is not valid yet.
    #[error("certificate_file: the certificate for {names} in {path} is not valid before {}", at(.until))]
    Early {
        /// Path of the certificate.
        path: PathBuf,
        /// The names in the certificate.
        names: String,
        /// When it becomes valid.
        until: DateTime<Utc>,
    },
}

fn at(moment: &DateTime<Utc>) -> String {
    local_time(*moment)
}

impl ServerTlsConfig {
    /// A certificate and its key, with the default times.
    #[must_use]
    pub fn new(certificate_file: PathBuf, key_file: PathBuf) -> Self {
        Self {
            certificate_file,
            key_file,
            handshake_seconds: default_handshake_seconds(),
            reload_seconds: default_reload_seconds(),
        }
    }

    /// Everything that is wrong with the files at a moment, including what a server would start with but clients would
    /// refuse.
    #[must_use]
    pub fn faults(&self, now: DateTime<Utc>) -> Vec<TlsError> {
        let (certificate, key) = (Files::certificate(self), Files::key(self));
        let (certificate, key) = match (certificate, key) {
            (Ok(certificate), Ok(key)) => (certificate, key),
            (certificate, key) => return certificate.err().into_iter().chain(key.err()).collect(),
        };
        let certificate = match (Files { certificate, key }).pair(self) {
            Ok((_, certificate)) => certificate,
            Err(error) => return vec![error],
        };
        let (path, names) = (self.certificate_file.clone(), certificate.names());
        match certificate.standing(now) {
            Standing::Expired => vec![TlsError::Expired { path, names, since: certificate.not_after }],
            Standing::Early => vec![TlsError::Early { path, names, until: certificate.not_before }],
            Standing::Good | Standing::EndsSoon => Vec::new(),
        }
    }
}
