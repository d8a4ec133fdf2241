//! Public keys of an issuer, read or fetched, and kept.

mod error;
mod fetch;
mod gauges;
mod jwk;
mod key;
mod pem;
mod set;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task::JoinHandle,
    time::{Instant, timeout},
};
use tracing::{info, warn};

pub(super) use self::key::algorithm;
pub use self::{error::KeyError, key::Unusable};
use self::{
    fetch::Fetcher,
    gauges::Gauges,
    set::{KeySet, Match},
};
use super::{IssuerConfig, KeySource};
use crate::{clock::Clock, error::chain};

/// A token may name a key that the set lacks to make us fetch: not more often than this.
const FETCH_PAUSE: Duration = Duration::from_secs(30);

/// As soon after a fetch that failed, for a key that cannot be had otherwise.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A set that is older is fetched again: its issuer may have withdrawn a key.
const FETCH_AGAIN: Duration = Duration::from_mins(10);

/// How often a file is looked at.
const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// How long a caller with a known key waits for an old set to be fetched again: long enough for an issuer that answers to have
/// a withdrawn key refused, and not as long as one that hangs.
const PATIENCE: Duration = Duration::from_millis(250);

/// As long as a set cannot be had for the same reason, the log says so once in this time.
const TELL_AGAIN: Duration = Duration::from_secs(30);

/// Why there is no key for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The issuer has no such key.
    Unknown,
    /// The key that it means is not for its algorithm; in words.
    NotFor(String),
    /// Nobody can say: the issuer's set cannot be had, and why, as far as that is known.
    Unavailable(Option<String>),
}

/// The keys of one issuer.
pub(super) struct Keys {
    source: Source,
    known: RwLock<Option<Arc<KeySet>>>,
    attempts: Arc<Mutex<Attempts>>,
    /// Why the source could not be had the last time, if that was so.
    trouble: RwLock<Option<String>>,
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
    /// When the log was last told that it failed.
    told: Option<Instant>,
    /// What a file held.
    content: Vec<u8>,
}

impl Keys {
    /// Reads the keys of a file at once; those of an address when the first token asks for one.
    pub(super) fn new(issuer: &IssuerConfig, clock: &Clock) -> Result<Self, KeyError> {
        let source = match issuer.keys.clone() {
            KeySource::PemFile(path) => Source::Pem(path),
            KeySource::JwksFile(path) => Source::Json(path),
            KeySource::JwksUrl(address) => {
                Source::Url(Fetcher::new(address, issuer.keys_ca_file.clone(), issuer.keys_token_file.clone())?)
            }
        };
        let gauges = Gauges::new(&issuer.issuer, clock);
        let (mut known, mut attempts) = (None, Attempts::default());
        if let Source::Pem(path) | Source::Json(path) = &source {
            attempts.content = read(path)?;
            known = Some(Arc::new(source.parse(&attempts.content)?));
            gauges.had(clock.now().timestamp());
        }
        let attempts = Arc::new(Mutex::new(attempts));
        let trouble = RwLock::default();
        Ok(Self { source, known: RwLock::new(known), attempts, trouble, clock: clock.clone(), gauges })
    }

    /// The keys that a token with this key identifier, or none, and this algorithm may be signed with.
    ///
    /// A set that was never had, is old, or lacks the key is fetched, as far as the pauses let it be. While that fails, keys of the
    /// last good set serve, and nobody says of others that they are unknown.
    pub(super) async fn find(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Vec<DecodingKey>, NoKey> {
        let known = self.known_for(id, algorithm);
        let attempts = match Arc::clone(&self.attempts).try_lock_owned() {
            Ok(attempts) => attempts,
            // Somebody looks: only those without a key wait for it.
            Err(_) => match known {
                Some(found) => return found.keys(),
                None => Arc::clone(&self.attempts).lock_owned().await,
            },
        };
        let is_known = self.known_for(id, algorithm).is_some();
        let is_missing = if self.is_due(&attempts, is_known) {
            let looking = self.look(attempts, !is_known && self.has_any());
            match &self.source {
                // It goes on without us.
                Source::Url(_) if is_known => timeout(PATIENCE, looking).await.is_ok(),
                Source::Url(_) | Source::Pem(_) | Source::Json(_) => looking.await.unwrap_or(false),
            }
        } else {
            self.is_unknown(&attempts)
        };
        match self.known_for(id, algorithm) {
            Some(found) => found.keys(),
            None if is_missing => Err(NoKey::Unknown),
            None => Err(NoKey::Unavailable(self.trouble.read().unwrap_or_else(PoisonError::into_inner).clone())),
        }
    }

    /// Whether there is a set of keys.
    pub(super) fn has_any(&self) -> bool {
        self.known().is_some()
    }

    /// Looks for a set if there is none, as far as the pauses let it.
    pub(super) async fn seek(self: Arc<Self>) {
        let attempts = Arc::clone(&self.attempts).lock_owned().await;
        if !self.has_any() && self.is_due(&attempts, false) {
            let _ = self.look(attempts, false).await;
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
    fn look(self: &Arc<Self>, mut attempts: OwnedMutexGuard<Attempts>, is_for_unknown: bool) -> JoinHandle<bool> {
        let keys = Arc::clone(self);
        tokio::spawn(async move {
            let looked = match &keys.source {
                Source::Pem(path) | Source::Json(path) => keys.read_again(path, &mut attempts).await,
                Source::Url(fetcher) => fetcher.fetch().await.map(Some),
            };
            keys.take(looked, &mut attempts, is_for_unknown)
        })
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
                *self.trouble.write().unwrap_or_else(PoisonError::into_inner) = None;
                if let Some(set) = set {
                    info!(issuer = self.gauges.issuer(), keys = set.len(), "a key set was read");
                    *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(set));
                }
                true
            }
            Err(error) => {
                attempts.failed = now;
                self.gauges.failed();
                let error = chain(&error);
                let before = self.trouble.write().unwrap_or_else(PoisonError::into_inner).replace(error.clone());
                // Tokens of strangers make us look, but do not fill the log.
                if before.as_ref() != Some(&error) || !within(attempts.told, TELL_AGAIN) {
                    attempts.told = now;
                    warn!(issuer = self.gauges.issuer(), error, "a key set cannot be had");
                }
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

    fn known_for(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Match> {
        self.known()?.find(id, algorithm)
    }

    fn known(&self) -> Option<Arc<KeySet>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn within(moment: Option<Instant>, pause: Duration) -> bool {
    moment.is_some_and(|moment| moment.elapsed() < pause)
}

impl Match {
    fn keys(self) -> Result<Vec<DecodingKey>, NoKey> {
        match self {
            Self::Keys(keys) => Ok(keys),
            Self::NotFor(why) => Err(NoKey::NotFor(why)),
        }
    }
}

impl Source {
    fn parse(&self, content: &[u8]) -> Result<KeySet, KeyError> {
        match self {
            Self::Pem(path) => match pem::read(content) {
                Ok(key) => Ok(KeySet::of_one(key)),
                Err(pem::Fault::None | pem::Fault::Unusable(Unusable::Kind)) => Err(KeyError::NoKey(path.clone())),
                Err(pem::Fault::Private) => Err(KeyError::Private(path.clone())),
                Err(pem::Fault::Unusable(why)) => Err(KeyError::NotUsed(path.clone(), why)),
            },
            Self::Json(_) | Self::Url(_) => KeySet::of_json(content),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeyError> {
    fs::read(path).map_err(|source| KeyError::File { path: path.to_owned(), source })
}
