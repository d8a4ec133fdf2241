//! A key that signs tokens, for one machine and for tests.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use ed25519_dalek::{
    SigningKey,
    pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, spki::der::pem::LineEnding},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{
    IssuerConfig, KeySource,
    claims::{Claims, part},
};
use crate::{clock::Clock, region::RegionCode, whole_file};

/// The `iss` claim of tokens that a local key signs.
const ISSUER: &str = "tongxin-local";

/// A signing key in a folder: `token.pem`, and `token.pub.pem` for verification.
pub struct LocalKey {
    key: EncodingKey,
    public: PathBuf,
}

/// Why the local key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LocalKeyError {
    /// A file cannot be read or written.
    #[error("cannot use the key file {path}")]
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not a key.
    #[error("{0} is not an Ed25519 key: delete it to have a new one made")]
    NotAKey(PathBuf),
    /// The system has no random numbers.
    #[error("a key cannot be made")]
    Random(#[from] getrandom::Error),
    /// Signing failed.
    #[error("a token cannot be signed")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

/// The claims of a token.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// The subject.
    pub subject: String,
    /// The roles.
    pub roles: Vec<String>,
    /// The region.
    pub region: RegionCode,
    /// The department that the bearer speaks for.
    pub department: Option<String>,
    /// How long it is valid.
    pub lifetime: Duration,
}

impl LocalKey {
    /// Reads the key of a folder, or creates one.
    ///
    /// # Errors
    /// If the folder cannot be used, or the file is no key.
    pub fn in_folder(folder: &Path) -> Result<Self, LocalKeyError> {
        let (private, public) = files(folder);
        if !private.exists() {
            make(folder, &private, &public)?;
        }
        Self::of_folder(folder)
    }

    /// Reads the key of a folder.
    ///
    /// # Errors
    /// If it has none.
    pub fn of_folder(folder: &Path) -> Result<Self, LocalKeyError> {
        let (private, public) = files(folder);
        let pem = fs::read(&private).map_err(|source| LocalKeyError::File { path: private.clone(), source })?;
        let key = EncodingKey::from_ed_pem(&pem).map_err(|_| LocalKeyError::NotAKey(private))?;
        Ok(Self { key, public })
    }

    /// The issuer whose tokens this key signs.
    #[must_use]
    pub fn issuer(&self) -> IssuerConfig {
        IssuerConfig::new(ISSUER, KeySource::PemFile(self.public.clone()))
    }

    /// Whether a token claims to be signed by such a key. Nothing is verified.
    #[must_use]
    pub fn is_named_by(token: &str) -> bool {
        part::<Claims>(token, 1).is_some_and(|claims| claims.get("iss").and_then(Value::as_str) == Some(ISSUER))
    }

    /// Signs a token that is valid from now on.
    ///
    /// # Errors
    /// If signing fails.
    pub fn sign(&self, request: &TokenRequest, clock: &Clock) -> Result<String, LocalKeyError> {
        let now = clock.now().timestamp();
        let expires = now.saturating_add(i64::try_from(request.lifetime.as_secs()).unwrap_or(i64::MAX));
        let mut claims = json!({
            "iss": ISSUER,
            "aud": "tongxin",
            "sub": request.subject,
            "roles": request.roles,
            "region": request.region,
            "nbf": now,
            "iat": now,
            "exp": expires,
        });
        if let Some(department) = &request.department {
            claims["department"] = json!(department);
        }
        Ok(encode(&Header::new(Algorithm::EdDSA), &claims, &self.key)?)
    }
}

fn files(folder: &Path) -> (PathBuf, PathBuf) {
    (folder.join("token.pem"), folder.join("token.pub.pem"))
}

fn make(folder: &Path, private: &Path, public: &Path) -> Result<(), LocalKeyError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let key = SigningKey::from_bytes(&seed);
    let not_a_key = || LocalKeyError::NotAKey(private.to_owned());
    let private_pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|_| not_a_key())?;
    let public_pem = key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|_| not_a_key())?;
    let write = |path: &Path, mode, text: &str| {
        let write = || {
            fs::create_dir_all(folder)?;
            whole_file::write(path, mode, text.as_bytes())
        };
        write().map_err(|source| LocalKeyError::File { path: path.to_owned(), source })
    };
    // The private key last: its presence means that both are there.
    write(public, 0o644, &public_pem)?;
    write(private, 0o600, &private_pem)
}
