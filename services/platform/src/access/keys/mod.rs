//! Public keys of an issuer, read or fetched, and kept.

mod fetch;
mod gauges;
mod set;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::Instant,
};
use tracing::{info, warn};

pub(super) use self::set::PublicKey;
use self::{
    fetch::{Fetcher, SET_BYTES},
    gauges::Gauges,
    set::KeySet,
};
use super::{IssuerConfig, KeySource};
use crate::{clock::Clock, error::chain, secret::Address};

/// A token may name a key that the set lacks to make us fetch: not more often than this.
const FETCH_PAUSE: Duration = Duration::from_secs(30);

/// As soon after a fetch that failed, for a key that cannot be had otherwise.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A set that is older is fetched again: its issuer may have withdrawn a key.
const FETCH_AGAIN: Duration = Duration::from_mins(10);

/// How often a file is looked at.
const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// Why an issuer's keys cannot be had.
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
    /// The file holds no certificate.
    #[error("{0} holds no certificate in PEM")]
    NoCertificate(PathBuf),
    /// The address is none.
    #[error("{0} is no address of a key set: https://host/path is needed")]
    NoAddress(Address),
    /// Nobody's certificates are trusted.
    #[error(
        "there are no CA certificates on this machine for the https address of a key set: install them (ca-certificates), name a \
         file of them in SSL_CERT_FILE, or set keys_ca_file"
    )]
    NoCertificates(#[source] reqwest::Error),
    /// The key set cannot be fetched.
    #[error("cannot fetch the key set")]
    Fetch(#[from] reqwest::Error),
    /// The key set is elsewhere.
    #[error("the address of the key set redirects: set the address to which it leads")]
    Redirected,
    /// The key set is not JSON.
    #[error("the key set cannot be read")]
    Json(#[from] serde_json::Error),
    /// The key set is none.
    #[error("what is served is no JSON Web Key Set")]
    NoSet,
    /// The key set is larger than any should be.
    #[error("the key set has more than {SET_BYTES} bytes")]
    TooLarge,
}

/// Why there is no key for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The issuer has no such key.
    Unknown,
    /// Nobody can say: the issuer's set cannot be had.
    Unavailable,
}

/// The keys of one issuer.
pub(super) struct Keys {
    source: Source,
    known: RwLock<Option<Arc<KeySet>>>,
    attempts: Arc<Mutex<Attempts>>,
    clock: Clock,
    gauges: Gauges,
}

enum Source {
    Pem(PathBuf),
    Json(PathBuf),
    Url(Fetcher),
}

/// When the source was last looked at; locked while somebody does.
#[derive(Default)]
struct Attempts {
    /// When a set was last had.
    had: Option<Instant>,
    /// When one was last had for a key that the set before lacked.
    had_for_unknown: Option<Instant>,
    /// When it last failed, if it did since.
    failed: Option<Instant>,
    /// What a file held.
    content: Vec<u8>,
}

impl Keys {
    /// Reads the keys of a file at once; those of an address when the first token asks for one.
    pub(super) fn new(issuer: &IssuerConfig, clock: &Clock) -> Result<Self, KeyError> {
        let (source, known, content) = match issuer.keys.clone() {
            KeySource::PemFile(path) => of_file(path, Source::Pem)?,
            KeySource::JwksFile(path) => of_file(path, Source::Json)?,
            KeySource::JwksUrl(address) => {
                let fetcher = Fetcher::new(address, issuer.keys_ca_file.clone(), issuer.keys_token_file.clone())?;
                (Source::Url(fetcher), None, Vec::new())
            }
        };
        let gauges = Gauges::new(&issuer.issuer, clock);
        if known.is_some() {
            gauges.had(clock.now().timestamp());
        }
        let attempts = Arc::new(Mutex::new(Attempts { content, ..Attempts::default() }));
        Ok(Self { source, known: RwLock::new(known), attempts, clock: clock.clone(), gauges })
    }

    /// The key that a token names.
    ///
    /// A set that was never had, is old, or lacks the key is fetched, as far as the pauses let it be. While that fails, keys of the
    /// last good set serve, and nobody says of others that they are unknown.
    pub(super) async fn find(self: &Arc<Self>, id: Option<&str>) -> Result<PublicKey, NoKey> {
        let known = self.key(id);
        let attempts = match Arc::clone(&self.attempts).try_lock_owned() {
            Ok(attempts) => attempts,
            // Somebody looks: only those without a key wait for it.
            Err(_) => match known {
                Some(key) => return Ok(key),
                None => Arc::clone(&self.attempts).lock_owned().await,
            },
        };
        let known = self.key(id);
        let missing = if self.is_due(&attempts, known.is_some()) {
            let has_been_had = self.look(attempts, known.is_none() && self.has_any()).await;
            if has_been_had { NoKey::Unknown } else { NoKey::Unavailable }
        } else if self.is_unknown(&attempts) {
            NoKey::Unknown
        } else {
            NoKey::Unavailable
        };
        self.key(id).ok_or(missing)
    }

    /// Whether there is a set of keys.
    pub(super) fn has_any(&self) -> bool {
        self.known().is_some()
    }

    /// Looks for a set if there is none, as far as the pauses let it.
    pub(super) async fn seek(self: Arc<Self>) {
        let attempts = Arc::clone(&self.attempts).lock_owned().await;
        if !self.has_any() && self.is_due(&attempts, false) {
            self.look(attempts, false).await;
        }
    }

    fn is_due(&self, attempts: &Attempts, is_known: bool) -> bool {
        match self.source {
            Source::Pem(_) | Source::Json(_) => !within(attempts.had.max(attempts.failed), LOOK_PAUSE),
            Source::Url(_) if is_known => !within(attempts.had, FETCH_AGAIN) && !within(attempts.failed, FETCH_PAUSE),
            Source::Url(_) => !within(attempts.had_for_unknown, FETCH_PAUSE) && !within(attempts.failed, RETRY_PAUSE),
        }
    }

    /// Whether the issuer is known not to have a key that its set lacks.
    fn is_unknown(&self, attempts: &Attempts) -> bool {
        match self.source {
            Source::Pem(_) | Source::Json(_) => attempts.failed.is_none(),
            Source::Url(_) => within(attempts.had_for_unknown, FETCH_PAUSE),
        }
    }

    /// Reads or fetches the set; whether that succeeded. It is done for all: a caller that goes away does not end it.
    async fn look(self: &Arc<Self>, mut attempts: OwnedMutexGuard<Attempts>, is_for_unknown: bool) -> bool {
        let keys = Arc::clone(self);
        let looking = tokio::spawn(async move {
            let looked = match &keys.source {
                Source::Pem(path) | Source::Json(path) => keys.read_again(path, &mut attempts).await,
                Source::Url(fetcher) => fetcher.fetch().await.map(Some),
            };
            keys.take(looked, &mut attempts, is_for_unknown)
        });
        looking.await.unwrap_or(false)
    }

    fn take(&self, looked: Result<Option<KeySet>, KeyError>, attempts: &mut Attempts, is_for_unknown: bool) -> bool {
        let now = Some(Instant::now());
        match looked {
            Ok(set) => {
                attempts.had = now;
                attempts.failed = None;
                if is_for_unknown {
                    attempts.had_for_unknown = now;
                }
                self.gauges.had(self.clock.now().timestamp());
                if let Some(set) = set {
                    info!(issuer = self.gauges.issuer(), keys = set.len(), "a key set was read");
                    *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(set));
                }
                true
            }
            Err(error) => {
                attempts.failed = now;
                self.gauges.failed();
                warn!(issuer = self.gauges.issuer(), error = chain(&error), "a key set cannot be had");
                false
            }
        }
    }

    /// The set of a file, if it changed.
    async fn read_again(&self, path: &Path, attempts: &mut Attempts) -> Result<Option<KeySet>, KeyError> {
        let read = tokio::fs::read(path).await;
        let content = read.map_err(|source| KeyError::File { path: path.to_owned(), source })?;
        if content == attempts.content {
            return Ok(None);
        }
        let set = self.source.parse(&content)?;
        attempts.content = content;
        Ok(Some(set))
    }

    fn key(&self, id: Option<&str>) -> Option<PublicKey> {
        self.known()?.find(id).cloned()
    }

    fn known(&self) -> Option<Arc<KeySet>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn within(moment: Option<Instant>, pause: Duration) -> bool {
    moment.is_some_and(|moment| moment.elapsed() < pause)
}

impl Source {
    fn parse(&self, content: &[u8]) -> Result<KeySet, KeyError> {
        match self {
            Self::Pem(path) => KeySet::of_pem(content).ok_or_else(|| KeyError::NoKey(path.clone())),
            Self::Json(_) | Self::Url(_) => KeySet::of_json(content),
        }
    }
}

/// Reads a file for the first time: then it has to hold a key.
fn of_file(
    path: PathBuf,
    source: impl FnOnce(PathBuf) -> Source,
) -> Result<(Source, Option<Arc<KeySet>>, Vec<u8>), KeyError> {
    let content = read(&path)?;
    let source = source(path.clone());
    let set = source.parse(&content)?;
    if set.len() == 0 {
        return Err(KeyError::NoKey(path));
    }
    Ok((source, Some(Arc::new(set)), content))
}

fn read(path: &Path) -> Result<Vec<u8>, KeyError> {
    fs::read(path).map_err(|source| KeyError::File { path: path.to_owned(), source })
}
