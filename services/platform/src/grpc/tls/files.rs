//! The files of a certificate and its key.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
    sync::Arc,
};

use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use sha2::{Digest as _, Sha256};

use super::{ServerTlsConfig, TlsError, certificate::Certificate};

/// More than any chain of certificates has.
const MOST_BYTES: u64 = 1 << 20;

/// Contents of the files at a moment.
pub(super) struct Files {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
}

/// Identifies content that is not stored.
pub(super) type Fingerprint = [u8; 32];

impl Files {
    pub(super) fn read(config: &ServerTlsConfig) -> Result<Self, TlsError> {
        Ok(Self { certificate: Self::certificate(config)?, key: Self::key(config)? })
    }

    pub(super) fn certificate(config: &ServerTlsConfig) -> Result<Vec<u8>, TlsError> {
        read("certificate_file", &config.certificate_file)
    }

    pub(super) fn key(config: &ServerTlsConfig) -> Result<Vec<u8>, TlsError> {
        read("key_file", &config.key_file)
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        let length = u64::try_from(self.certificate.len()).unwrap_or(u64::MAX);
        Sha256::new()
            .chain_update(length.to_be_bytes())
            .chain_update(&self.certificate)
            .chain_update(&self.key)
            .finalize()
            .into()
    }

    /// The certificate with its key, if they match.
    pub(super) fn pair(&self, config: &ServerTlsConfig) -> Result<(Arc<CertifiedKey>, Certificate), TlsError> {
        let no_certificate = || TlsError::NoCertificate(config.certificate_file.clone());
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .map_err(|_| no_certificate())?;
        let certificate = Certificate::of_chain(chain.iter().map(AsRef::as_ref)).ok_or_else(no_certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| TlsError::NoKey(config.key_file.clone()))?;
        let certified = CertifiedKey::from_der(chain, key, &ring::default_provider());
        let certified = certified.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                TlsError::Mismatch { key: config.key_file.clone(), certificate: config.certificate_file.clone() }
            }
            rustls::Error::InvalidCertificate(_) => TlsError::Unsound(config.certificate_file.clone(), error),
            error => TlsError::Unusable(config.key_file.clone(), error),
        })?;
        Ok((Arc::new(certified), certificate))
    }
}

fn read(setting: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    bounded(path).map_err(|source| TlsError::File { setting, path: path.to_owned(), source })
}

fn bounded(path: &Path) -> io::Result<Vec<u8>> {
    // Reading a pipe would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it has more than 1 MiB"));
    }
    Ok(bytes)
}
