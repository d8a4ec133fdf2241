//! The settings of sealing, and the files that hold its keys.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::de::{Deserializer, Unexpected, Visitor};
use serde::{Deserialize, Serialize, de};

use super::{Error, KeyVersion, Suite};

/// Which suite seals, and where its keys are.
///
/// A key file holds one key in hex or base64 and nothing else. `openssl rand -hex 32` makes one for
/// AES-256-GCM or for the index, `openssl rand -hex 16` one for SM4-GCM.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonalConfig {
    /// What seals from now on: `aes-256-gcm` (the default) or `sm4-gcm`.
    #[serde(default)]
    pub suite: Suite,

    /// The version of the master key that wraps new data keys. Must be of the suite above.
    pub current_key: KeyVersion,

    /// A file for each version of the master key, 32 (AES) or 16 (SM4) bytes. An old version stays here
    /// until no data key is wrapped with it.
    pub key_files: BTreeMap<KeyVersion, PathBuf>,

    /// The file of the blind index's key, 32 bytes. It does not rotate with the master key.
    pub index_key_file: PathBuf,
}

impl PersonalConfig {
    pub(super) fn read_master_keys(&self) -> Result<Vec<(KeyVersion, SecretSlice<u8>)>, Error> {
        self.key_files.iter().map(|(version, path)| Ok((*version, read_key(path)?))).collect()
    }

    pub(super) fn read_index_key(&self) -> Result<SecretSlice<u8>, Error> {
        read_key(&self.index_key_file)
    }
}

/// Reads a file that holds one key.
///
/// # Errors
/// [`Error::KeyFile`] or [`Error::KeyText`].
pub(crate) fn read_key(path: &Path) -> Result<SecretSlice<u8>, Error> {
    let text = fs::read_to_string(path)
        .map(SecretString::from)
        .map_err(|source| Error::KeyFile { path: path.to_owned(), source })?;
    parse_key(text.expose_secret()).ok_or_else(|| Error::KeyText { path: path.to_owned() })
}

/// Keys have 16 or 32 bytes: 32 or 64 digits in hex, 24 or 44 characters in base64. So the length tells
/// which it is.
fn parse_key(text: &str) -> Option<SecretSlice<u8>> {
    let text = text.trim_ascii();
    let bytes = match text.len() {
        32 | 64 => hex::decode(text).ok()?,
        24 | 44 => STANDARD.decode(text).ok()?,
        _ => return None,
    };
    let key = SecretSlice::from(bytes);
    matches!(key.expose_secret().len(), 16 | 32).then_some(key)
}

/// From a number, or from text: the keys of a TOML table and environment variables are text.
impl<'de> Deserialize<'de> for KeyVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VersionVisitor)
    }
}

struct VersionVisitor;

impl Visitor<'_> for VersionVisitor {
    type Value = KeyVersion;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key version from 1 to 4294967295")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<KeyVersion, E> {
        u32::try_from(number)
            .ok()
            .and_then(KeyVersion::new)
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<KeyVersion, E> {
        let positive = u64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))?;
        self.visit_u64(positive)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<KeyVersion, E> {
        let number = text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))?;
        self.visit_u64(number)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BlindIndex, MasterKeys};
    use super::*;

    fn config(json: &str) -> Result<PersonalConfig, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn aes_is_the_suite_unless_another_is_chosen() {
        let settings = config(r#"{"current_key": 1, "key_files": {"1": "k"}, "index_key_file": "i"}"#).unwrap();
        assert_eq!(settings.suite, Suite::Aes256Gcm);
        assert_eq!(settings.key_files[&KeyVersion::FIRST], Path::new("k"));

        let settings =
            config(r#"{"suite": "sm4-gcm", "current_key": "2", "key_files": {}, "index_key_file": "i"}"#).unwrap();
        assert_eq!((settings.suite, settings.current_key.get()), (Suite::Sm4Gcm, 2));
    }

    #[test]
    fn a_setting_that_nobody_knows_is_refused() {
        let error = config(r#"{"current_key": 1, "key_filse": {}}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `key_filse`"), "{error}");
    }

    #[test]
    fn a_key_version_counts_from_one() {
        for text in ["0", "-1", "4294967296", "1.0", r#""x""#, r#""""#, "null"] {
            assert!(serde_json::from_str::<KeyVersion>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_is_written_in_hex_or_base64() {
        for len in [16, 32] {
            let key = vec![0xa7; len];
            for text in [hex::encode(&key), hex::encode_upper(&key), STANDARD.encode(&key)] {
                let parsed = parse_key(&format!(" {text}\r\n")).unwrap();
                assert_eq!(parsed.expose_secret(), key);
            }
        }
    }

    #[test]
    fn a_text_that_is_no_key_is_refused() {
        let base64_of_24_bytes = STANDARD.encode([7; 24]);
        let base64_of_17_bytes = STANDARD.encode([7; 17]);
        let two_lines = "ab\n".repeat(8);
        let hex_with_a_typo = "0g".repeat(16);
        for text in ["", "secret", &base64_of_24_bytes, &base64_of_17_bytes, &two_lines, &hex_with_a_typo] {
            assert!(parse_key(text).is_none(), "{text}");
        }
    }

    #[test]
    fn keys_are_read_from_their_files() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let mut settings = PersonalConfig {
            suite: Suite::Sm4Gcm,
            current_key: KeyVersion::FIRST,
            key_files: BTreeMap::from([(KeyVersion::FIRST, write("1", hex::encode([0xa7; 16])))]),
            index_key_file: write("index", STANDARD.encode([0xb8; 32])),
        };
        let masters = MasterKeys::load(&settings).unwrap();
        assert_eq!(masters.current(), KeyVersion::FIRST);
        BlindIndex::load(&settings).unwrap();

        settings.index_key_file = write("bad", "swordfish".to_owned());
        let error = BlindIndex::load(&settings).unwrap_err();
        assert!(matches!(&error, Error::KeyText { .. }));
        assert!(!format!("{error:?} {error} {settings:?}").contains("swordfish"));

        settings.index_key_file = folder.path().join("none");
        assert!(matches!(BlindIndex::load(&settings), Err(Error::KeyFile { .. })));
    }
}
