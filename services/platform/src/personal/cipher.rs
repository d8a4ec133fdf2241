//! The one place that calls ciphers.

use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::{AeadCore, AeadInOut, Aes256Gcm, AesGcm, KeyInit};
use secrecy::SecretSlice;
use sm4::Sm4;

use super::{Error, Suite};

/// RFC 8998 defines SM4-GCM as GCM over SM4, nothing else changed.
type Sm4Gcm = AesGcm<Sm4, U12>;

/// Bytes of a nonce.
pub(super) const NONCE_LEN: usize = 12;

/// Bytes of a tag.
pub(super) const TAG_LEN: usize = 16;

impl Suite {
    /// A new random key: 32 bytes for AES, 16 for SM4.
    ///
    /// # Errors
    /// [`Error::Randomness`] when the operating system has none.
    pub fn random_key(self) -> Result<SecretSlice<u8>, Error> {
        let mut key = vec![0; self.key_len()];
        getrandom::fill(&mut key)?;
        Ok(key.into())
    }

    /// The suite whose keys have this many bytes.
    pub(super) fn of_key(bytes: &[u8]) -> Result<Self, Error> {
        [Self::Aes256Gcm, Self::Sm4Gcm]
            .into_iter()
            .find(|suite| suite.key_len() == bytes.len())
            .ok_or(Error::KeyLength(bytes.len()))
    }

    pub(super) fn from_id(id: u8) -> Result<Self, Error> {
        match id {
            1 => Ok(Self::Aes256Gcm),
            2 => Ok(Self::Sm4Gcm),
            _ => Err(Error::UnknownSuite(id)),
        }
    }

    /// Encrypts the buffer in place. The nonce must never come twice with the same key.
    pub(super) fn encrypt(
        self,
        key: &[u8],
        nonce: [u8; NONCE_LEN],
        associated: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_LEN], Error> {
        match self {
            Self::Aes256Gcm => encrypt::<Aes256Gcm>(key, nonce, associated, buffer),
            Self::Sm4Gcm => encrypt::<Sm4Gcm>(key, nonce, associated, buffer),
        }
    }

    /// Decrypts the buffer in place, or leaves it as it was.
    pub(super) fn decrypt(
        self,
        key: &[u8],
        nonce: [u8; NONCE_LEN],
        associated: &[u8],
        buffer: &mut [u8],
        tag: [u8; TAG_LEN],
    ) -> Result<(), Error> {
        match self {
            Self::Aes256Gcm => decrypt::<Aes256Gcm>(key, nonce, associated, buffer, tag),
            Self::Sm4Gcm => decrypt::<Sm4Gcm>(key, nonce, associated, buffer, tag),
        }
    }
}

fn encrypt<C>(key: &[u8], nonce: [u8; NONCE_LEN], associated: &[u8], buffer: &mut [u8]) -> Result<[u8; TAG_LEN], Error>
where
    C: KeyInit + AeadInOut + AeadCore<NonceSize = U12, TagSize = U16>,
{
    C::new_from_slice(key)
        .map_err(|_| Error::KeyLength(key.len()))?
        .encrypt_inout_detached(&nonce.into(), associated, buffer.into())
        .map(Into::into)
        .map_err(|_| Error::TooLong)
}

fn decrypt<C>(
    key: &[u8],
    nonce: [u8; NONCE_LEN],
    associated: &[u8],
    buffer: &mut [u8],
    tag: [u8; TAG_LEN],
) -> Result<(), Error>
where
    C: KeyInit + AeadInOut + AeadCore<NonceSize = U12, TagSize = U16>,
{
    C::new_from_slice(key)
        .map_err(|_| Error::KeyLength(key.len()))?
        .decrypt_inout_detached(&nonce.into(), associated, buffer.into(), &tag.into())
        .map_err(|_| Error::Forged)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Vector {
        suite: Suite,
        key: &'static str,
        nonce: &'static str,
        associated: &'static str,
        plaintext: &'static str,
        ciphertext: &'static str,
        tag: &'static str,
    }

    /// RFC 8998, appendix A.1.
    const SM4_GCM: Vector = Vector {
        suite: Suite::Sm4Gcm,
        key: "0123456789abcdeffedcba9876543210",
        nonce: "00001234567800000000abcd",
        associated: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plaintext: "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd\
                    eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
        ciphertext: "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
                     d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d",
        tag: "83de3541e4c2b58177e065a9bf7b62ec",
    };

    /// "The Galois/Counter Mode of Operation", appendix B, test case 16.
    const AES_256_GCM: Vector = Vector {
        suite: Suite::Aes256Gcm,
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        nonce: "cafebabefacedbaddecaf888",
        associated: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plaintext: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                    1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        ciphertext: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                     8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
        tag: "76fc6ece0f4e1768cddf8853bb2d551b",
    };

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    fn check(vector: &Vector) {
        let key = hex::decode(vector.key).unwrap();
        let associated = hex::decode(vector.associated).unwrap();
        let nonce = bytes(vector.nonce);
        let mut buffer = hex::decode(vector.plaintext).unwrap();

        let tag = vector.suite.encrypt(&key, nonce, &associated, &mut buffer).unwrap();
        assert_eq!(hex::encode(&buffer), vector.ciphertext);
        assert_eq!(hex::encode(tag), vector.tag);

        vector.suite.decrypt(&key, nonce, &associated, &mut buffer, tag).unwrap();
        assert_eq!(hex::encode(&buffer), vector.plaintext);
    }

    #[test]
    fn sm4_gcm_gives_the_published_ciphertext() {
        check(&SM4_GCM);
    }

    #[test]
    fn aes_gcm_gives_the_published_ciphertext() {
        check(&AES_256_GCM);
    }

    #[test]
    fn a_wrong_tag_leaves_the_buffer_encrypted() {
        let key = [7; 16];
        let mut buffer = *b"not decrypted";
        let error = Suite::Sm4Gcm.decrypt(&key, [0; NONCE_LEN], b"", &mut buffer, [0; TAG_LEN]);
        assert!(matches!(error, Err(Error::Forged)));
        assert_eq!(&buffer, b"not decrypted");
    }

    #[test]
    fn a_key_of_the_wrong_length_is_refused() {
        let error = Suite::Aes256Gcm.encrypt(&[7; 16], [0; NONCE_LEN], b"", &mut []);
        assert!(matches!(error, Err(Error::KeyLength(16))));
        assert!(matches!(Suite::of_key(&[7; 24]), Err(Error::KeyLength(24))));
    }
}
