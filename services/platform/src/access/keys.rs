//! Public keys of an issuer, fetched and kept.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet},
};
use tokio::{sync::Mutex, time::Instant};
use tracing::{info, warn};

use super::KeySource;

/// A token may name an unknown key to make us fetch: not more often than this.
const FETCH_PAUSE: Duration = Duration::from_secs(30);

/// A set that is older is fetched again: its issuer may have withdrawn a key.
const FETCH_AGAIN: Duration = Duration::from_mins(10);

const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Most bytes of a key set.
const SET_BYTES: usize = 1 << 20;

/// A public key and the algorithms that it may be used with.
#[derive(Clone)]
pub(super) struct PublicKey {
    pub key: DecodingKey,
    pub algorithms: Vec<Algorithm>,
}

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
    #[error("{0} holds no Ed25519, P-256 or RSA public key")]
    NoKey(PathBuf),
    /// The key set cannot be fetched.
    #[error("cannot fetch the key set")]
    Fetch(#[from] reqwest::Error),
    /// The key set is no JSON Web Key Set.
    #[error("the key set cannot be read")]
    Json(#[from] serde_json::Error),
    /// The key set is larger than any should be.
    #[error("the key set has more than {SET_BYTES} bytes")]
    TooLarge,
}

type KeysById = HashMap<Option<String>, PublicKey>;

/// The keys of one issuer.
pub(super) struct Keys {
    source: KeySource,
    known: RwLock<Arc<KeysById>>,
    /// When they were last fetched; locked while they are.
    fetched: Mutex<Option<Instant>>,
    client: reqwest::Client,
}

impl Keys {
    /// Reads the keys of a file at once; those of an address when the first token asks for one.
    pub(super) fn new(source: KeySource) -> Result<Self, KeyError> {
        let known = match &source {
            KeySource::PemFile(path) => HashMap::from([(None, pem_key(path)?)]),
            KeySource::JwksFile(path) => key_set(&read(path)?)?,
            KeySource::JwksUrl(_) => HashMap::new(),
        };
        // Fails only if the program chose one before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(FETCH_TIMEOUT).build()?;
        Ok(Self { source, known: RwLock::new(Arc::new(known)), fetched: Mutex::new(None), client })
    }

    /// The key that a token names. A key that is not known, or a set that is old, makes the set be
    /// fetched again; while that fails, the last good keys serve.
    pub(super) async fn find(&self, id: Option<&str>) -> Option<PublicKey> {
        let known = self.known_key(id);
        let KeySource::JwksUrl(url) = &self.source else { return known };
        let mut fetched = match self.fetched.try_lock() {
            Ok(fetched) => fetched,
            // Somebody fetches: only those without a key wait for it.
            Err(_) if known.is_some() => return known,
            Err(_) => self.fetched.lock().await,
        };
        let known = self.known_key(id);
        let pause = if known.is_some() { FETCH_AGAIN } else { FETCH_PAUSE };
        if fetched.is_some_and(|fetched| fetched.elapsed() < pause) {
            return known;
        }
        *fetched = Some(Instant::now());
        match self.fetch(url.expose()).await {
            Ok(keys) => {
                info!(keys = keys.len(), "a key set was fetched");
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
            }
            Err(error) => warn!(error = crate::error::chain(&error), "a key set was not fetched"),
        }
        self.known_key(id)
    }

    /// A file with a single PEM key has no identifiers: every token is checked with it.
    fn known_key(&self, id: Option<&str>) -> Option<PublicKey> {
        let known = Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        match self.source {
            KeySource::PemFile(_) => known.get(&None).cloned(),
            KeySource::JwksFile(_) | KeySource::JwksUrl(_) => known.get(&id.map(str::to_owned)).cloned(),
        }
    }

    async fn fetch(&self, url: &str) -> Result<KeysById, KeyError> {
        let mut answer = self
            .client
            .get(url)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            // The address may hold a secret.
            .map_err(reqwest::Error::without_url)?;
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await? {
            if bytes.len() + part.len() > SET_BYTES {
                return Err(KeyError::TooLarge);
            }
            bytes.extend_from_slice(&part);
        }
        key_set(&bytes)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeyError> {
    fs::read(path).map_err(|source| KeyError::File { path: path.to_owned(), source })
}

fn pem_key(path: &Path) -> Result<PublicKey, KeyError> {
    let pem = read(path)?;
    let tries = [
        (DecodingKey::from_ed_pem(&pem), vec![Algorithm::EdDSA]),
        (DecodingKey::from_ec_pem(&pem), vec![Algorithm::ES256]),
        (DecodingKey::from_rsa_pem(&pem), vec![Algorithm::RS256]),
    ];
    let is_another_curve = |algorithms: &[Algorithm]| algorithms.contains(&Algorithm::ES256) && !is_of_p256(&pem);
    let usable = tries.into_iter().filter(|(_, algorithms)| !is_another_curve(algorithms));
    let found = { usable }.find_map(|(key, algorithms)| Some(PublicKey { key: key.ok()?, algorithms }));
    found.ok_or_else(|| KeyError::NoKey(path.to_owned()))
}

/// Whether a PEM file names the curve P-256.
fn is_of_p256(pem: &[u8]) -> bool {
    const P256: [u8; 10] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
    let text = String::from_utf8_lossy(pem);
    let content: String = text.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    BASE64_STANDARD.decode(content).is_ok_and(|key| key.windows(P256.len()).any(|part| part == P256))
}

fn key_set(bytes: &[u8]) -> Result<KeysById, KeyError> {
    let set: JwkSet = serde_json::from_slice(bytes)?;
    Ok(set.keys.iter().filter_map(|jwk| Some((jwk.common.key_id.clone(), usable(jwk)?))).collect())
}

/// Symmetric keys are not usable: whoever checks such a token could also sign one. Nor are curves of which no
/// algorithm of ours is.
fn usable(jwk: &Jwk) -> Option<PublicKey> {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        _ => return None,
    };
    Some(PublicKey { key: DecodingKey::from_jwk(jwk).ok()?, algorithms: vec![algorithm] })
}
