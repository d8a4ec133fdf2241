//! Errors of loading keys.

use std::{io, path::PathBuf};

use super::Unusable;
use crate::secret::Address;

/// Maximum size of a key set.
pub(super) const SET_BYTES: usize = 1 << 20;

/// Why an issuer's keys cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read the key file {path}")]
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds no public key that is accepted.
    #[error("{0} holds no Ed25519, P-256, P-384 or RSA public key")]
    NoKey(PathBuf),
    /// The file holds a private key, which only its issuer should have.
    #[error(
        "{0} holds a private key, which only its issuer should have: set the file of the public one \
         (`openssl pkey -in {0} -pubout`)"
    )]
    Private(PathBuf),
    /// The file holds a key that is not used.
    #[error("the key in {0} cannot be used: {1}")]
    NotUsed(PathBuf, Unusable),
    /// The file holds no certificate.
    #[error("{0} holds no certificate in PEM")]
    NoCertificate(PathBuf),
    /// The address is invalid.
    #[error("{0} is no address of a key set: https://host/path is needed")]
    NoAddress(Address),
    /// No authority is trusted.
    #[error(
        "there are no CA certificates on this machine for the https address of a key set: install them (ca-certificates), name a \
         file of them in SSL_CERT_FILE, or set keys_ca_file"
    )]
    NoCertificates(#[source] reqwest::Error),
    /// The key set cannot be fetched.
    #[error("cannot fetch the key set")]
    Fetch(#[from] reqwest::Error),
    /// The server redirects to another address.
    #[error("the address of the key set redirects: set the address to which it leads")]
    Redirected,
    /// The key set is not JSON.
    #[error("the key set cannot be read")]
    Json(#[from] serde_json::Error),
    /// It is not a key set.
    #[error("what is served is no JSON Web Key Set")]
    NoSet,
    /// The key set is empty.
    #[error("the key set is empty: the last one that had keys is kept, if there was one")]
    Empty,
    /// The key set has no usable key.
    #[error("no key of the set can be used; of the first one: {0}")]
    NoneOfUse(Unusable),
    /// An issuer is configured twice.
    #[error("issuer {0} is there twice: state it once, with all of its keys in one set")]
    IssuerTwice(String),
    /// The key set is larger than any should be.
    #[error("the key set has more than {SET_BYTES} bytes")]
    TooLarge,
}
