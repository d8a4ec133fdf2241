//! Connections to other services.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use http::Uri;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde::{Deserialize, Serialize};
use tonic::transport::{self, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::secret::Address;

/// Trusted authorities for `https://` addresses, and our own identity there. The files are read at start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// PEM file with the certificates of the authorities that sign those of other services.
    pub ca_file: Option<PathBuf>,
    /// PEM file with our own certificate, for services that ask for one.
    pub certificate_file: Option<PathBuf>,
    /// PEM file with its key.
    pub key_file: Option<PathBuf>,
}

/// Why another service cannot be connected to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is invalid.
    #[error("{0:?} is no address such as http://shop:7001 or https://shop:7001")]
    Address(Address, #[source] Option<transport::Error>),
    /// No authority is trusted.
    #[error("{0:?} needs ca_file: the certificates of the authorities to trust")]
    NoAuthority(Address),
    /// The machine trusts no authority.
    #[error(
        "this machine has no CA certificates{}: install them (the package ca-certificates), name a file of them in the variable \
         SSL_CERT_FILE, or name the CA of that address with --ca-file",
        why(.0)
    )]
    NoSystemAuthority(Vec<rustls_native_certs::Error>),
    /// A file holds no certificate.
    #[error("{0} is no PEM file with certificates")]
    NoCertificate(PathBuf),
    /// Only one of certificate and key is set.
    #[error("certificate_file and key_file are needed together")]
    HalfAnIdentity,
    /// A file cannot be read.
    #[error("cannot read {0}")]
    File(PathBuf, #[source] io::Error),
    /// The files cannot be used.
    #[error("the certificates or the key cannot be used")]
    Tls(#[source] transport::Error),
}

/// Maximum size of response headers. It is more than any server of ours sends: a response that is too large ends the
/// connection, and with it all calls on it.
const HEADER_BYTES: u32 = 64 << 10;

/// A connection to another service, made by the first call and again after it broke.
///
/// # Errors
/// If the address is invalid.
pub fn channel(address: &str) -> Result<Channel, transport::Error> {
    Ok(endpoint(address)?.connect_lazy())
}

/// The same, also for `https://` addresses.
///
/// # Errors
/// If the address is invalid, or certificates for TLS are missing or broken.
pub fn secure_channel(address: &str, tls: &TlsConfig) -> Result<Channel, ConnectError> {
    Ok(secured(address, tls)?.connect_lazy())
}

/// A connection to an address entered by a person. Its certificate has to be signed by an authority in `ca_file`, or
/// else by one that this machine trusts. Authorities are loaded only for `https://` addresses.
///
/// # Errors
/// If the address is invalid, or no authority is trusted.
pub fn public_channel(address: &str, ca_file: Option<&Path>) -> Result<Channel, ConnectError> {
    let secured = secured_by(address, || {
        let authorities = ca_file.map_or_else(of_system, of_file)?;
        Ok(ClientTlsConfig::new().trust_anchors(authorities.roots))
    });
    Ok(secured?.connect_lazy())
}

fn secured(address: &str, tls: &TlsConfig) -> Result<Endpoint, ConnectError> {
    secured_by(address, || tls.client(address))
}

fn secured_by(
    address: &str,
    tls: impl FnOnce() -> Result<ClientTlsConfig, ConnectError>,
) -> Result<Endpoint, ConnectError> {
    let endpoint = endpoint(address).map_err(|error| ConnectError::Address(address.into(), Some(error)))?;
    // The endpoint also accepts a bare name and port, and schemes that we do not serve.
    let uri = address.parse::<Uri>().unwrap_or_default();
    match uri.scheme_str().filter(|_| uri.host().is_some_and(|host| !host.is_empty())) {
        Some("http") => Ok(endpoint),
        Some("https") => endpoint.tls_config(tls()?).map_err(ConnectError::Tls),
        _ => Err(ConnectError::Address(address.into(), None)),
    }
}

/// The same for streaming calls. Unread data of some streams does not hold up others: the connection window is as large
/// as those of all its streams together.
///
/// # Errors
/// As [`secure_channel`].
pub fn secure_stream_channel(address: &str, tls: &TlsConfig) -> Result<Channel, ConnectError> {
    let endpoint = secured(address, tls)?;
    Ok(endpoint
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(STREAM_WINDOW * 256)
        .connect_lazy())
}

/// Cancelled streams that the client remembers, so that it ignores their late answers. A late answer to a forgotten stream is a
/// stream error, of which hyper allows 1,024 in the life of a connection before it closes it under all other calls. An answer that
/// crosses its cancellation is no fault of the server, so that limit is off.
const RESETS_REMEMBERED: usize = 1024;

/// Window of one stream: bytes that wait to be read.
const STREAM_WINDOW: u32 = 64 << 10;

fn endpoint(address: &str) -> Result<Endpoint, transport::Error> {
    let endpoint = Endpoint::from_shared(address.to_owned())?
        .connect_timeout(Duration::from_secs(5))
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true)
        .http2_max_header_list_size(HEADER_BYTES)
        .initial_connection_window_size(4 << 20)
        .initial_stream_window_size(1 << 20)
        .http2_max_concurrent_reset_streams(RESETS_REMEMBERED)
        .http2_max_local_error_reset_streams(None)
        .tcp_nodelay(true);
    Ok(endpoint)
}

impl TlsConfig {
    fn client(&self, address: &str) -> Result<ClientTlsConfig, ConnectError> {
        let file = self.ca_file.as_deref().ok_or_else(|| ConnectError::NoAuthority(address.into()))?;
        let client = ClientTlsConfig::new().trust_anchors(of_file(file)?.roots);
        match (&self.certificate_file, &self.key_file) {
            (None, None) => Ok(client),
            (Some(certificate), Some(key)) => Ok(client.identity(Identity::from_pem(read(certificate)?, read(key)?))),
            (Some(_), None) | (None, Some(_)) => Err(ConnectError::HalfAnIdentity),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ConnectError> {
    fs::read(path).map_err(|error| ConnectError::File(path.to_owned(), error))
}

/// The authorities in a file.
fn of_file(path: &Path) -> Result<RootCertStore, ConnectError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    trusting(certificates.unwrap_or_default()).ok_or_else(|| ConnectError::NoCertificate(path.to_owned()))
}

/// The authorities that this machine trusts, as set by `SSL_CERT_FILE` and `SSL_CERT_DIR` or at the default places of
/// its distribution.
fn of_system() -> Result<RootCertStore, ConnectError> {
    let found = rustls_native_certs::load_native_certs();
    trusting(found.certs).ok_or(ConnectError::NoSystemAuthority(found.errors))
}

fn trusting(certificates: Vec<CertificateDer<'static>>) -> Option<RootCertStore> {
    let mut authorities = RootCertStore::empty();
    authorities.add_parsable_certificates(certificates);
    (!authorities.is_empty()).then_some(authorities)
}

fn why(errors: &[rustls_native_certs::Error]) -> String {
    errors.first().map(|error| format!(" ({error})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_http_and_https_with_a_host_can_be_called() {
        let refusal =
            |address: &str| secured(address, &TlsConfig::default()).map(drop).map_err(|error| error.to_string());
        for address in ["http://shop:7001", "HTTP://shop", "http://[::1]:7001"] {
            assert_eq!(refusal(address), Ok(()), "{address}");
        }
        for address in [
            "shop:7001",
            "shop",
            "ftp://shop",
            "unix:/run/shop",
            "unix:///run/shop",
            "//shop",
            "http:///x",
            "",
            "nats://shop:7001",
        ] {
            let refused = refusal(address).expect_err(address);
            assert!(refused.contains("is no address such as http://shop:7001"), "{refused}");
        }
        assert!(refusal("HTTPS://shop").unwrap_err().contains("needs ca_file"));
    }
}
