//! The certificate that is being served, and its replacement when the files change.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use rustls::{
    ServerConfig,
    crypto::ring,
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::{
    sync::oneshot::{self, Receiver},
    time::{sleep, timeout},
};
use tracing::{info, warn};

use super::{
    ServerTlsConfig, TlsError,
    certificate::{Certificate, Standing},
    files::{Files, Fingerprint},
    metrics::Metrics,
};
use crate::{
    clock::{Clock, local_time},
    error::chain,
};

/// Time limit for reading the files: a network file system may hang.
const LOOK: Duration = Duration::from_secs(10);

/// Interval at which the log repeats what has to be done about a certificate.
const AGAIN: TimeDelta = TimeDelta::days(1);

/// The configuration of new handshakes.
pub(in crate::grpc) struct Current {
    config: ServerTlsConfig,
    protocols: Vec<Vec<u8>>,
    serving: RwLock<Arc<ServerConfig>>,
    expired: AtomicBool,
    metrics: Metrics,
}

/// What was read from the files.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Content(Fingerprint),
    Unreadable(String),
}

/// State of watching the files.
pub(in crate::grpc) struct Looks {
    served: Seen,
    last: Seen,
    refused: Option<Seen>,
    certificate: Certificate,
    warned: Option<(Standing, DateTime<Utc>)>,
    /// A read that has not finished.
    under_way: Option<Receiver<Result<Files, TlsError>>>,
}

impl Current {
    /// Reads the files; `protocols` are those offered in handshakes, best first.
    pub(in crate::grpc) fn load(
        config: ServerTlsConfig,
        protocols: &[&[u8]],
        now: DateTime<Utc>,
    ) -> Result<(Self, Looks), TlsError> {
        let files = Files::read(&config)?;
        let (pair, certificate) = files.pair(&config)?;
        let protocols: Vec<_> = protocols.iter().map(|name| name.to_vec()).collect();
        let serving = RwLock::new(server_config(pair, &protocols));
        let current = Self { config, protocols, serving, expired: AtomicBool::default(), metrics: Metrics::new() };
        current.metrics.served(&certificate, now);
        certificate.warn(now);
        let warned = Some((certificate.standing(now), now));
        let served = Seen::Content(files.fingerprint());
        let mut looks = Looks { last: served.clone(), served, refused: None, certificate, warned, under_way: None };
        current.tell(&mut looks, now);
        Ok((current, looks))
    }

    /// Time limit of a handshake.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.config.handshake_seconds)
    }

    /// The configuration for the next handshake.
    pub(super) fn serving(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.serving.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Watches the files and serves what they come to hold, for ever.
    pub(in crate::grpc) async fn keep_up(self: Arc<Self>, mut looks: Looks, clock: Clock) {
        loop {
            sleep(Duration::from_secs(self.config.reload_seconds.max(1))).await;
            let found = self.read(&mut looks, LOOK).await;
            self.look(&mut looks, found, clock.now());
            self.tell(&mut looks, clock.now());
        }
    }

    /// The files, if they can be read in time. A read that hangs is waited for, and not started a second time.
    async fn read(&self, looks: &mut Looks, time: Duration) -> Result<Files, TlsError> {
        let under_way = looks.under_way.get_or_insert_with(|| begin(self.config.clone()));
        let done = timeout(time, &mut *under_way).await;
        let Ok(done) = done else { return Err(TlsError::TooSlow(self.config.certificate_file.clone())) };
        looks.under_way = None;
        done.unwrap_or_else(|_| Err(TlsError::TooSlow(self.config.certificate_file.clone())))
    }

    /// Logs that the certificate ends soon or has ended: once, and again each day.
    fn tell(&self, looks: &mut Looks, now: DateTime<Utc>) {
        let standing = looks.certificate.standing(now);
        self.expired.store(standing == Standing::Expired, Relaxed);
        if !looks.warned.is_some_and(|(warned, at)| warned == standing && now < at + AGAIN) {
            looks.certificate.warn_of_time(now);
            looks.warned = Some((standing, now));
        }
    }

    /// Whether clients refuse the certificate because it has expired.
    pub(super) fn is_expired(&self) -> bool {
        self.expired.load(Relaxed)
    }

    /// Accepts what two successive reads found alike: a file that is being written is ignored, as is a certificate
    /// whose key has not been written yet.
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
                // With a new session cache: no client resumes a session of the old certificate.
                let serving = server_config(pair, &self.protocols);
                *self.serving.write().unwrap_or_else(PoisonError::into_inner) = serving;
                self.metrics.reloaded(&certificate, now);
                let (names, until) = (certificate.names(), local_time(certificate.not_after));
                info!(names, until, "another certificate is served from now on");
                certificate.warn(now);
                looks.warned = Some((certificate.standing(now), now));
                looks.certificate = certificate;
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

/// Reads in a thread of its own: at its end the runtime waits for those of its own pool.
fn begin(config: ServerTlsConfig) -> Receiver<Result<Files, TlsError>> {
    let (read, under_way) = oneshot::channel();
    // Without a thread nothing can be read, and that is the result.
    let _ = thread::Builder::new().name("certificate".to_owned()).spawn(move || {
        // The receiver may be gone.
        let _ = read.send(Files::read(&config));
    });
    under_way
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
    use crate::testing::{
        certificates::{Authority, Signed},
        noon,
    };

    /// A certificate that is being served, with its watcher.
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

        /// Whether a look at the files changes the certificate that is served.
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

    /// Reading a pipe waits for its writer.
    #[test]
    fn a_pipe_is_no_file_and_the_next_pair_is_served() {
        let authority = Authority::new();
        let mut watched = Watched::serving(&authority.sign(&["one"]));
        let path = watched.folder.path().join("tls.crt");
        fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let looked = std::thread::spawn(move || {
            let looks = [watched.looks(), watched.looks()];
            (looks, watched)
        });
        let begun = std::time::Instant::now();
        while !looked.is_finished() {
            assert!(begun.elapsed().as_secs() < 10, "the look hangs");
            std::thread::sleep(Duration::from_millis(5));
        }
        let (looks, mut watched) = looked.join().unwrap();
        assert_eq!(looks, [false; 2]);
        assert!(watched.looks.refused.is_some(), "it is said");
        fs::remove_file(&path).unwrap();
        authority.sign(&["two"]).write(watched.folder.path());
        assert_eq!([watched.looks(), watched.looks()], [false, true]);
    }

    #[tokio::test]
    async fn a_look_that_hangs_is_given_up_and_not_repeated_until_it_ends() {
        let mut watched = Watched::serving(&Authority::new().sign(&["one"]));
        let (ends, hangs) = oneshot::channel();
        watched.looks.under_way = Some(hangs);
        for _ in 0..2 {
            let late = watched.current.read(&mut watched.looks, Duration::from_millis(10)).await;
            assert!(matches!(&late, Err(TlsError::TooSlow(_))));
            watched.current.look(&mut watched.looks, late, noon());
        }
        assert!(watched.looks.refused.is_some() && watched.looks.under_way.is_some());
        ends.send(Files::read(&watched.current.config)).ok().unwrap();
        assert!(watched.current.read(&mut watched.looks, LOOK).await.is_ok());
        assert!(watched.current.read(&mut watched.looks, LOOK).await.is_ok(), "the next one is read anew");
    }

    /// It is read once, and served for weeks.
    #[test]
    fn the_log_warns_each_day_of_a_certificate_that_ends_while_it_is_served() {
        let folder = TempDir::new().unwrap();
        let log = folder.path().join("log");
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(Arc::new(fs::File::create(&log).unwrap()));
        let _logged = tracing::subscriber::set_default(lines.finish());
        let day = |text: &str| format!("{text}:00:00Z").parse::<DateTime<Utc>>().unwrap();
        let signed = Authority::new().sign_for_days(&["gateway.example"], (2026, 1, 1), (2026, 3, 1));
        let (current, mut looks) = Current::load(signed.write(folder.path()), &[], day("2026-02-01T00")).unwrap();
        let mut said = |now| {
            let before = fs::read_to_string(&log).unwrap().len();
            current.tell(&mut looks, day(now));
            fs::read_to_string(&log).unwrap()[before..].to_owned()
        };
        assert_eq!(said("2026-02-10T00"), "");
        assert!(said("2026-02-20T00").contains("expires soon"));
        assert_eq!(said("2026-02-20T12"), "");
        assert!(said("2026-02-21T00").contains("expires soon"));
        assert!(!current.is_expired());
        assert_eq!(said("2026-02-21T23"), "");
        assert!(said("2026-03-01T01").contains("has expired"));
        assert_eq!(said("2026-03-01T23"), "");
        assert!(said("2026-03-02T02").contains("has expired"));
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
