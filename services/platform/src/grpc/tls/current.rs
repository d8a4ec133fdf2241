//! The certificate that is served at the moment, and the one that follows it when the files change.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use chrono::{DateTime, Utc};
use rustls::{
    ServerConfig,
    crypto::ring,
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::time::sleep;
use tracing::{info, warn};

use super::{
    ServerTlsConfig, TlsError,
    files::{Files, Fingerprint},
    metrics::Metrics,
};
use crate::{
    clock::{Clock, local_time},
    error::chain,
};

/// What handshakes are made with, now.
pub(in crate::grpc) struct Current {
    config: ServerTlsConfig,
    protocols: Vec<Vec<u8>>,
    serving: RwLock<Arc<ServerConfig>>,
    metrics: Metrics,
}

/// What was seen of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Content(Fingerprint),
    Unreadable(String),
}

/// What looks at the files have come to.
pub(in crate::grpc) struct Looks {
    served: Seen,
    last: Seen,
    refused: Option<Seen>,
}

impl Current {
    /// Reads the files; `protocols` are what handshakes agree on one of, best first.
    pub(in crate::grpc) fn load(
        config: ServerTlsConfig,
        protocols: &[&[u8]],
        now: DateTime<Utc>,
    ) -> Result<(Self, Looks), TlsError> {
        let files = Files::read(&config)?;
        let (pair, certificate) = files.pair(&config)?;
        let protocols: Vec<_> = protocols.iter().map(|name| name.to_vec()).collect();
        let serving = RwLock::new(server_config(pair, &protocols));
        let current = Self { config, protocols, serving, metrics: Metrics::new() };
        current.metrics.served(&certificate, now);
        certificate.warn(now);
        let served = Seen::Content(files.fingerprint());
        Ok((current, Looks { last: served.clone(), served, refused: None }))
    }

    /// How long a client may take for its handshake.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.config.handshake_seconds)
    }

    /// What the next handshake is made with.
    pub(super) fn serving(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.serving.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves what the files come to hold, for ever.
    pub(in crate::grpc) async fn keep_up(self: Arc<Self>, mut looks: Looks, clock: Clock) {
        loop {
            sleep(Duration::from_secs(self.config.reload_seconds.max(1))).await;
            let config = self.config.clone();
            // A file system of a network may take its time.
            let Ok(found) = tokio::task::spawn_blocking(move || Files::read(&config)).await else { continue };
            self.look(&mut looks, found, clock.now());
        }
    }

    /// Takes what two looks after each other found alike: a file that is just being written is no news, nor is a certificate whose
    /// key has not been written yet.
    fn look(&self, looks: &mut Looks, found: Result<Files, TlsError>, now: DateTime<Utc>) {
        let seen = match &found {
            Ok(files) => Seen::Content(files.fingerprint()),
            Err(error) => Seen::Unreadable(chain(error)),
        };
        let settled = looks.last == seen;
        looks.last = seen.clone();
        if seen == looks.served {
            self.metrics.in_step(now);
            looks.refused = None;
            return;
        }
        if !settled || looks.refused.as_ref() == Some(&seen) {
            return;
        }
        match found.and_then(|files| files.pair(&self.config)) {
            Ok((pair, certificate)) => {
                // A new cache of sessions with it: nobody goes on with one that the old certificate began.
                let serving = server_config(pair, &self.protocols);
                *self.serving.write().unwrap_or_else(PoisonError::into_inner) = serving;
                self.metrics.reloaded(&certificate, now);
                let (names, until) = (certificate.names(), local_time(certificate.not_after));
                info!(names, until, "another certificate is served from now on");
                certificate.warn(now);
                looks.served = seen;
                looks.refused = None;
            }
            Err(error) => {
                self.metrics.refused();
                warn!(error = chain(&error), "the files of the certificate cannot be used: the one before is served");
                looks.refused = Some(seen);
            }
        }
    }
}

fn server_config(pair: Arc<CertifiedKey>, protocols: &[Vec<u8>]) -> Arc<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .expect("the provider has suites for both versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    config.alpn_protocols = protocols.to_vec();
    Arc::new(config)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::{
        sample::noon,
        testing::certificates::{Authority, Signed},
    };

    /// A certificate that is served, and those who look at its files.
    struct Watched {
        folder: TempDir,
        current: Current,
        looks: Looks,
    }

    impl Watched {
        fn serving(signed: &Signed) -> Self {
            let folder = TempDir::new().unwrap();
            let (current, looks) = Current::load(signed.write(folder.path()), &[], noon()).unwrap();
            Self { folder, current, looks }
        }

        /// Whether a look at the files makes another one be served.
        fn looks(&mut self) -> bool {
            let before = self.current.serving();
            self.current.look(&mut self.looks, Files::read(&self.current.config), noon());
            !Arc::ptr_eq(&before, &self.current.serving())
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.folder.path().join(name), text).unwrap();
        }
    }

    #[test]
    fn another_pair_is_served_once_two_looks_saw_it() {
        let authority = Authority::new();
        let mut watched = Watched::serving(&authority.sign(&["one"]));
        assert!(!watched.looks());
        authority.sign(&["two"]).write(watched.folder.path());
        assert_eq!([watched.looks(), watched.looks(), watched.looks()], [false, true, false]);
    }

    #[test]
    fn as_long_as_the_files_are_no_pair_the_last_one_is_served() {
        let authority = Authority::new();
        let [one, two] = ["one", "two"].map(|name| authority.sign(&[name]));
        let mut watched = Watched::serving(&one);
        let half = |text: &str| text[..text.len() / 2].to_owned();
        for (certificate, key) in [
            (two.certificate.clone(), one.key.clone()),
            (half(&two.certificate), two.key.clone()),
            (two.certificate.clone(), half(&two.key)),
            (String::new(), two.key.clone()),
            (two.certificate.clone(), String::new()),
            (two.key.clone(), two.certificate.clone()),
        ] {
            watched.write("tls.crt", &certificate);
            watched.write("tls.key", &key);
            assert_eq!([watched.looks(), watched.looks(), watched.looks()], [false; 3], "{certificate} {key}");
            assert!(watched.looks.refused.is_some(), "it was said once");
        }
        fs::remove_file(watched.folder.path().join("tls.key")).unwrap();
        assert_eq!([watched.looks(), watched.looks()], [false; 2]);

        two.write(watched.folder.path());
        assert_eq!([watched.looks(), watched.looks()], [false, true]);
        assert!(watched.looks.refused.is_none());
    }

    /// As Kubernetes mounts a secret: the files are links through a link that is replaced.
    #[test]
    fn a_link_that_leads_elsewhere_is_followed() {
        let authority = Authority::new();
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (version, name) in [("first", "one"), ("second", "two")] {
            fs::create_dir(at(version)).unwrap();
            authority.sign(&[name]).write(&at(version));
        }
        let link = |from: &str, to: &str| std::os::unix::fs::symlink(from, at(to)).unwrap();
        link("first", "..data");
        link("..data/tls.crt", "tls.crt");
        link("..data/tls.key", "tls.key");
        let config = ServerTlsConfig::new(at("tls.crt"), at("tls.key"));
        let (current, looks) = Current::load(config, &[], noon()).unwrap();
        let mut watched = Watched { folder: TempDir::new().unwrap(), current, looks };
        link("second", "..new");
        fs::rename(at("..new"), at("..data")).unwrap();
        assert_eq!([watched.looks(), watched.looks()], [false, true]);
    }

    #[test]
    fn what_is_wrong_with_the_files_is_said_with_its_setting() {
        let authority = Authority::new();
        let [one, two] = ["one", "two"].map(|name| authority.sign(&[name]));
        let expired = authority.sign_for_days(&["gateway.example"], (2024, 1, 1), (2025, 1, 1));
        let folder = TempDir::new().unwrap();
        let said = |certificate: &str, key: &str| {
            let config = Signed { certificate: certificate.to_owned(), key: key.to_owned() }.write(folder.path());
            config.faults(noon()).iter().map(|fault| chain(fault)).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(said(&one.certificate, &one.key), "");
        assert!(said(&one.certificate, &two.key).starts_with("key_file: the key in "), "another's key");
        assert!(said("", &one.key).starts_with("certificate_file: "), "no certificate");
        assert!(said(&one.certificate, "").starts_with("key_file: "), "no key");
        let late = said(&expired.certificate, &expired.key);
        assert!(late.starts_with("certificate_file: the certificate for gateway.example in "), "{late}");
        assert!(late.ends_with("has expired on 2025-01-01 08:00:00"), "{late}");
        let nowhere = ServerTlsConfig::new("/nowhere.crt".into(), "/nowhere.key".into()).faults(noon());
        let nowhere: Vec<_> = nowhere.iter().map(ToString::to_string).collect();
        assert_eq!(nowhere, ["certificate_file: cannot read /nowhere.crt", "key_file: cannot read /nowhere.key"]);
    }
}
