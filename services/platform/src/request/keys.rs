//! The keys of request fingerprints.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;

use crate::personal::{self, KeyVersion};

const KEY_LEN: usize = 32;

/// Keys that are not in the database.
///
/// A request may be personal, and so would a bare hash of it be: a holder of the tables could try all ID numbers. Each
/// fingerprint is stored with the version of its key, so that keys can be replaced.
#[derive(Clone)]
pub struct RequestKeys {
    current: KeyVersion,
    keys: Arc<BTreeMap<KeyVersion, SecretSlice<u8>>>,
}

/// The settings `request_key_files` and `current_request_key` of a service.
#[derive(Debug, Clone, Default)]
pub struct RequestKeyFiles {
    /// A file for each version.
    pub files: BTreeMap<KeyVersion, PathBuf>,
    /// The version for new requests; the highest if unset.
    pub current: Option<KeyVersion>,
}

impl RequestKeyFiles {
    /// Reads the file of each version.
    ///
    /// # Errors
    /// As [`RequestKeys::load`].
    pub fn load(&self) -> Result<RequestKeys, RequestKeyError> {
        RequestKeys::load(&self.files, self.current)
    }
}

/// Why the keys cannot be used. Never contains one.
#[derive(Debug, thiserror::Error)]
pub enum RequestKeyError {
    /// The settings name none.
    #[error(
        "request_key_files names no key: a file of 32 bytes in hex or base64 is needed for version 1, as `openssl rand -hex 32` makes it"
    )]
    None,
    /// The settings name no file for the current version.
    #[error("request_key_files has no file for current_request_key, which is {0}")]
    NoCurrent(KeyVersion),
    /// A key has the wrong length.
    #[error("request_key_files: the key of version {0} has to be 32 bytes long")]
    Length(KeyVersion),
    /// A file cannot be used.
    #[error("request_key_files: version {0}")]
    File(KeyVersion, #[source] personal::Error),
}

impl RequestKeys {
    /// Reads the file of each version. Without `current` it is the highest; while replicas are taught a new version one
    /// by one, the old one has to be named.
    ///
    /// # Errors
    /// If there is no key, the current one is missing, or one of them is not 32 bytes long.
    pub fn load(files: &BTreeMap<KeyVersion, PathBuf>, current: Option<KeyVersion>) -> Result<Self, RequestKeyError> {
        let read = |(version, path): (&KeyVersion, &PathBuf)| Ok((*version, read(*version, path)?));
        let keys = files.iter().map(read).collect::<Result<BTreeMap<_, _>, RequestKeyError>>()?;
        let highest = *keys.keys().next_back().ok_or(RequestKeyError::None)?;
        let current = current.unwrap_or(highest);
        if !keys.contains_key(&current) {
            return Err(RequestKeyError::NoCurrent(current));
        }
        Ok(Self { current, keys: Arc::new(keys) })
    }

    /// The version for new fingerprints.
    pub(super) fn current(&self) -> KeyVersion {
        self.current
    }

    /// The fingerprint of a digest, or nothing if the version is not loaded.
    pub(super) fn fingerprint(&self, version: KeyVersion, digest: &[u8; 32]) -> Option<[u8; 32]> {
        let key = self.keys.get(&version)?.expose_secret();
        let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        Some(mac.chain_update(digest).finalize().into_bytes().into())
    }

    /// A fixed key for tests.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn for_tests() -> Self {
        let keys = BTreeMap::from([(KeyVersion::FIRST, vec![7; KEY_LEN].into())]);
        Self { current: KeyVersion::FIRST, keys: Arc::new(keys) }
    }
}

impl fmt::Debug for RequestKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<_> = self.keys.keys().collect();
        formatter.debug_struct("RequestKeys").field("current", &self.current).field("versions", &versions).finish()
    }
}

fn read(version: KeyVersion, path: &Path) -> Result<SecretSlice<u8>, RequestKeyError> {
    let key = personal::read_key(path).map_err(|error| RequestKeyError::File(version, error))?;
    if key.expose_secret().len() == KEY_LEN { Ok(key) } else { Err(RequestKeyError::Length(version)) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::error::chain;

    fn version(number: u32) -> KeyVersion {
        KeyVersion::new(number).unwrap()
    }

    #[test]
    fn a_key_is_needed_and_the_highest_is_current_unless_another_is_stated() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let [first, second] =
            [1, 2].map(|number| (version(number), write(&number.to_string(), format!("{number:064}"))));
        let both = BTreeMap::from([first, second]);
        assert_eq!(RequestKeys::load(&both, None).unwrap().current(), version(2));
        assert_eq!(RequestKeys::load(&both, Some(version(1))).unwrap().current(), version(1));

        let short = BTreeMap::from([(version(1), write("short", "a7".repeat(16)))]);
        let typo = BTreeMap::from([(version(1), write("typo", "swordfish".to_owned()))]);
        for (files, current, fault) in [
            (BTreeMap::new(), None, "request_key_files names no key"),
            (both, Some(version(3)), "has no file for current_request_key, which is 3"),
            (short, None, "version 1 has to be 32 bytes long"),
            (typo, None, "holds no key in hex or base64"),
        ] {
            let error = chain(&RequestKeys::load(&files, current).unwrap_err());
            assert!(error.contains(fault) && !error.contains("swordfish"), "{error}");
        }
    }

    /// Made with Python's hmac: requests must stay known in every later release.
    #[test]
    fn a_fingerprint_never_changes_and_shows_no_key() {
        let keys = RequestKeys::for_tests();
        let made = keys.fingerprint(KeyVersion::FIRST, &[1; 32]).unwrap();
        assert_eq!(hex::encode(made), "338b3ba46c711ce637cad3635550e860b84209083d8c25b6a92d19d72b185516");
        assert_eq!(keys.fingerprint(version(2), &[1; 32]), None);
        assert!(!format!("{keys:?}").contains("7, 7"));
    }
}
