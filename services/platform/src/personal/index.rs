//! Finds sealed fields by a keyed hash of their text.

use hmac::digest::consts::U32;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;
use sm3::Sm3;

use super::{Error, PersonalConfig, Suite};

const KEY_LEN: usize = 32;

/// Hashes the text of a field so that equal texts can be found without being read.
///
/// Equal texts of one field have equal indexes, so a holder of the key can try all ID numbers. The key is therefore
/// kept apart from the database, and an erased owner's indexes are deleted. Another key or another suite gives other
/// indexes, which then have to be computed again from the opened fields.
#[derive(Debug)]
pub struct BlindIndex {
    suite: Suite,
    key: SecretSlice<u8>,
}

impl BlindIndex {
    /// Reads the index key that the settings name.
    ///
    /// # Errors
    /// [`Error::KeyFile`] or [`Error::KeyText`] for the file, [`Error::IndexKeyLength`] for the key.
    pub fn load(config: &PersonalConfig) -> Result<Self, Error> {
        Self::new(config.suite, config.read_index_key()?)
    }

    /// A blind index with a key of 32 bytes.
    ///
    /// # Errors
    /// [`Error::IndexKeyLength`].
    pub fn new(suite: Suite, key: SecretSlice<u8>) -> Result<Self, Error> {
        if key.expose_secret().len() != KEY_LEN {
            return Err(Error::IndexKeyLength);
        }
        Ok(Self { suite, key })
    }

    /// The index of a text in a field, for example `("person.id_number", "44182319900101123X")`.
    ///
    /// The text is hashed as it is: bring it into one form first (trimmed, `X` in upper case).
    #[must_use]
    pub fn of(&self, field: &str, text: &str) -> [u8; 32] {
        let key = self.key.expose_secret();
        let parts = [field.as_bytes(), text.as_bytes()];
        match self.suite {
            Suite::Aes256Gcm => keyed_hash::<Hmac<Sha256>>(key, &parts),
            Suite::Sm4Gcm => keyed_hash::<Hmac<Sm3>>(key, &parts),
        }
    }
}

/// The length before each part keeps ("ab", "c") and ("a", "bc") apart.
fn keyed_hash<M>(key: &[u8], parts: &[&[u8]]) -> [u8; 32]
where
    M: Mac<OutputSize = U32> + KeyInit,
{
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID_NUMBER: &str = "44182319900101123X";

    fn index(suite: Suite, key: u8) -> BlindIndex {
        BlindIndex::new(suite, vec![key; KEY_LEN].into()).unwrap()
    }

    /// HMAC of a message as it is, for the published vectors.
    fn hmac<M>(key: &str, message: &[u8]) -> String
    where
        M: Mac + KeyInit,
    {
        let key = hex::decode(key).unwrap();
        let mac = <M as KeyInit>::new_from_slice(&key).unwrap().chain_update(message);
        hex::encode(mac.finalize().into_bytes())
    }

    /// RFC 4231, test case 1.
    #[test]
    fn hmac_sha_256_gives_the_published_hash() {
        assert_eq!(
            hmac::<Hmac<Sha256>>("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", b"Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    /// GM/T 0042-2015; OpenSSL agrees.
    #[test]
    fn hmac_sm3_gives_the_published_hash() {
        let key = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425";
        assert_eq!(
            hmac::<Hmac<Sm3>>(key, &[0xcd; 50]),
            "220bf579ded555393f0159f66c99877822a3ecf610d1552154b41d44b94db3ae"
        );
    }

    /// Made with OpenSSL: stored indexes must stay findable in every later release.
    #[test]
    fn an_index_never_changes() {
        let aes = index(Suite::Aes256Gcm, 7).of("person.id_number", ID_NUMBER);
        let sm4 = index(Suite::Sm4Gcm, 7).of("person.id_number", ID_NUMBER);
        assert_eq!(hex::encode(aes), "40f8f7c3c91558638fc534799e336fb25e7222dbecbb35af32182eefa5e99757");
        assert_eq!(hex::encode(sm4), "7752cd4c559709f1b332b6662bb23932683b5efb54ab7e6efcc382e4be969fbb");
    }

    #[test]
    fn an_index_differs_by_text_field_key_and_suite() {
        for suite in [Suite::Aes256Gcm, Suite::Sm4Gcm] {
            let first = index(suite, 1).of("id_number", ID_NUMBER);
            assert_eq!(first, index(suite, 1).of("id_number", ID_NUMBER));
            assert_ne!(first, index(suite, 1).of("id_number", "441823199001011230"));
            assert_ne!(first, index(suite, 1).of("phone", ID_NUMBER));
            assert_ne!(first, index(suite, 1).of("id_number4", &ID_NUMBER[1..]));
            assert_ne!(first, index(suite, 2).of("id_number", ID_NUMBER));
        }
        assert_ne!(
            index(Suite::Aes256Gcm, 1).of("phone", "13800001234"),
            index(Suite::Sm4Gcm, 1).of("phone", "13800001234")
        );
    }

    #[test]
    fn a_short_index_key_is_refused() {
        let error = BlindIndex::new(Suite::Sm4Gcm, vec![1; 16].into());
        assert!(matches!(error, Err(Error::IndexKeyLength)));
    }

    #[test]
    fn an_index_does_not_show_its_key() {
        let shown = format!("{:?}", index(Suite::Aes256Gcm, 0xa7));
        assert!(shown.contains("REDACTED") && !shown.contains("167"), "{shown}");
    }
}
