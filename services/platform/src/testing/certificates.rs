//! Authorities of a test's own, and certificates that they sign.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

use crate::grpc::ServerTlsConfig;

/// Who signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate.
    pub pem: String,
}

/// A certificate and its key, in PEM.
pub struct Signed {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

/// Year, month and day.
type Day = (i32, u8, u8);

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// One that nobody trusts yet.
    ///
    /// # Panics
    /// When there is no randomness.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("it signs").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for names and addresses, good at any time.
    ///
    /// # Panics
    /// When a name is none.
    #[must_use]
    pub fn sign(&self, names: &[&str]) -> Signed {
        self.sign_by(names, |_| {})
    }

    /// The same from one day until another one.
    ///
    /// # Panics
    /// When a name or a day is none.
    #[must_use]
    pub fn sign_for_days(&self, names: &[&str], from: Day, until: Day) -> Signed {
        self.sign_by(names, |params| {
            params.not_before = date_time_ymd(from.0, from.1, from.2);
            params.not_after = date_time_ymd(until.0, until.1, until.2);
        })
    }

    fn sign_by(&self, names: &[&str], set: impl FnOnce(&mut CertificateParams)) -> Signed {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("names");
        set(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("it signs");
        Signed { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// Writes `ca.pem` into a folder.
    ///
    /// # Panics
    /// When the folder cannot be written to.
    pub fn write(&self, folder: &Path) {
        fs::write(folder.join("ca.pem"), &self.pem).expect("a folder");
    }
}

impl Signed {
    /// Writes `tls.crt` and `tls.key` into a folder, as a secret of Kubernetes calls them.
    ///
    /// # Panics
    /// When the folder cannot be written to.
    #[expect(clippy::must_use_candidate, reason = "some want the files alone")]
    pub fn write(&self, folder: &Path) -> ServerTlsConfig {
        let file = |name: &str, text: &str| {
            fs::write(folder.join(name), text).expect("a folder");
            folder.join(name)
        };
        ServerTlsConfig::new(file("tls.crt", &self.certificate), file("tls.key", &self.key))
    }
}
