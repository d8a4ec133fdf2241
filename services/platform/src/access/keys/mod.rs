//! Public keys of an issuer: read or fetched, and cached.

mod error;
mod fetch;
mod file;
mod gauges;
mod jwk;
mod key;
mod pem;
mod set;

use std::{
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

/// Minimum interval between fetches that are caused by tokens with unknown keys.
const FETCH_PAUSE: Duration = Duration::from_secs(30);

/// Minimum interval after a failed fetch, for a key that is not available otherwise.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Maximum age of a set: its issuer may have withdrawn a key.
const FETCH_AGAIN: Duration = Duration::from_mins(10);

/// Interval at which a file is checked.
const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// How long a caller with a known key waits for an old set to be fetched again: long enough for a responsive issuer to
/// withdraw a key, but short enough for one that hangs.
const PATIENCE: Duration = Duration::from_millis(250);

/// While a set cannot be loaded for the same reason, this is the interval of log lines about it.
const TELL_AGAIN: Duration = Duration::from_secs(30);

/// Why there is no key for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The issuer has no such key.
    Unknown,
    /// The key that it names is not for its algorithm; in words.
    NotFor(String),
    /// Unknown: the issuer's set cannot be loaded, and why, as far as that is known.
    Unavailable(Option<String>),
}

/// The keys of one issuer.
pub(super) struct Keys {
    source: Source,
    known: RwLock<Option<Arc<KeySet>>>,
    attempts: Arc<Mutex<Attempts>>,
    /// Why the last attempt failed, if it did.
    trouble: RwLock<Option<String>>,
    clock: Clock,
    gauges: Gauges,
}

enum Source {
    Pem(PathBuf),
    Json(PathBuf),
    Url(Fetcher),
}

/// When the source was last read or fetched; locked meanwhile.
#[derive(Default)]
struct Attempts {
    /// When a set was last loaded.
    had: Option<Instant>,
    /// When one was last loaded for a key that the set before lacked.
    had_for_unknown: Option<Instant>,
    /// When it last failed, if it did since.
    failed: Option<Instant>,
    /// When a failure was last logged.
    told: Option<Instant>,
    /// Last contents of a file.
    content: Vec<u8>,
}

impl Keys {
    /// Reads the keys of a file at once; those of an address when the first token needs one.
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
            attempts.content = file::read(path)?;
            known = Some(Arc::new(source.parse(&attempts.content)?));
            gauges.had(clock.now().timestamp());
        }
        let attempts = Arc::new(Mutex::new(attempts));
        let trouble = RwLock::default();
        Ok(Self { source, known: RwLock::new(known), attempts, trouble, clock: clock.clone(), gauges })
    }

    /// The keys that may have signed a token with this key identifier, or none, and this algorithm.
    ///
    /// A set that was never loaded, is old, or lacks the key is fetched, if the pauses allow it. While that fails, keys
    /// of the last good set are used, and no other key is called unknown.
    pub(super) async fn find(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Vec<DecodingKey>, NoKey> {
        let known = self.known_for(id, algorithm);
        let attempts = match Arc::clone(&self.attempts).try_lock_owned() {
            Ok(attempts) => attempts,
            // Another task is loading: only callers without a key wait for it.
            Err(_) => match known {
                Some(found) => return found.keys(),
                None => Arc::clone(&self.attempts).lock_owned().await,
            },
        };
        let is_known = self.known_for(id, algorithm).is_some();
        let is_missing = if self.is_due(&attempts, is_known) {
            let looking = self.look(attempts, !is_known && self.has_any());
            match &self.source {
                // It continues without us.
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

    /// Loads a set if there is none, if the pauses allow it.
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

    /// Whether it is certain that the issuer does not have a key that its set lacks.
    fn is_unknown(&self, attempts: &Attempts) -> bool {
        match self.source {
            Source::Pem(_) | Source::Json(_) => attempts.failed.is_none(),
            Source::Url(_) => within(attempts.had_for_unknown, FETCH_PAUSE),
        }
    }

    /// Reads or fetches the set, and returns whether that succeeded. It is done for all callers: one that goes away
    /// does not end it.
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
                // Tokens of strangers cause fetches, but do not fill the log.
                if before.as_ref() != Some(&error) || !within(attempts.told, TELL_AGAIN) {
                    attempts.told = now;
                    warn!(issuer = self.gauges.issuer(), error, "a key set cannot be had");
                }
                false
            }
        }
    }

    /// Reads the set of a file again, if it changed.
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
