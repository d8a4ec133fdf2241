//! Sealing of bytes: header, nonce, ciphertext, tag.

use secrecy::{ExposeSecret, SecretSlice};

use super::{
    Error, Header, KeyVersion, Suite,
    cipher::{NONCE_LEN, TAG_LEN},
    header::{FORMAT, HEADER_LEN},
};

impl Header {
    /// Reads the header of sealed bytes, so that a rotation can find what is left to do.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::UnknownFormat`] or [`Error::UnknownSuite`]. The header is only
    /// proven to be true when the bytes open.
    pub fn of(sealed: &[u8]) -> Result<Self, Error> {
        Ok(Self::split(sealed)?.0)
    }

    /// The header, and what comes after it.
    pub(super) fn split(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let ([format, suite, version @ ..], rest) = bytes.split_first_chunk::<HEADER_LEN>().ok_or(Error::Malformed)?;
        if *format != FORMAT {
            return Err(Error::UnknownFormat(*format));
        }
        let suite = Suite::from_id(*suite)?;
        let key_version = KeyVersion::new(u32::from_be_bytes(*version)).ok_or(Error::Malformed)?;
        Ok((Self { suite, key_version }, rest))
    }
}

/// A key that knows its suite and version. Its bytes never appear in `Debug`.
#[derive(Debug)]
pub(super) struct Key {
    header: Header,
    material: SecretSlice<u8>,
}

impl Key {
    /// The suite follows from the length of the key.
    pub(super) fn new(key_version: KeyVersion, material: SecretSlice<u8>) -> Result<Self, Error> {
        let suite = Suite::of_key(material.expose_secret())?;
        Ok(Self { header: Header { suite, key_version }, material })
    }

    pub(super) const fn header(&self) -> Header {
        self.header
    }

    pub(super) const fn material(&self) -> &SecretSlice<u8> {
        &self.material
    }

    /// Seals to a place, given as the parts of its name.
    pub(super) fn seal(&self, place: &[&[u8]], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce)?;
        let associated = self.associated_data(place);

        let start = HEADER_LEN + NONCE_LEN;
        // All of it at once: growing would leave a copy of the plaintext behind.
        let mut sealed = Vec::with_capacity(start + plaintext.len() + TAG_LEN);
        sealed.extend_from_slice(&self.header.to_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let key = self.material.expose_secret();
        let tag = self.header.suite.encrypt(key, nonce, &associated, &mut sealed[start..])?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens what was sealed with this key to this place.
    pub(super) fn open(&self, place: &[&[u8]], sealed: &[u8]) -> Result<SecretSlice<u8>, Error> {
        let (header, body) = Header::split(sealed)?;
        if header != self.header {
            return Err(Error::OtherKey { sealed: header, held: self.header });
        }
        let (nonce, body) = body.split_first_chunk().ok_or(Error::Malformed)?;
        let (ciphertext, tag) = body.split_last_chunk().ok_or(Error::Malformed)?;

        let associated = self.associated_data(place);
        let mut buffer = ciphertext.to_vec();
        let key = self.material.expose_secret();
        header.suite.decrypt(key, *nonce, &associated, &mut buffer, *tag)?;
        Ok(buffer.into())
    }

    /// The length before each part keeps ("ab", "c") and ("a", "bc") apart.
    fn associated_data(&self, place: &[&[u8]]) -> Vec<u8> {
        let mut data = self.header.to_bytes().to_vec();
        for part in place {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part);
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: [&[u8]; 2] = [b"ab", b"c"];

    fn key(suite: Suite) -> Key {
        Key::new(KeyVersion::FIRST, suite.random_key().unwrap()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_again() {
        for suite in [Suite::Aes256Gcm, Suite::Sm4Gcm] {
            let key = key(suite);
            for plaintext in [&b""[..], b"x", "张三丰".as_bytes(), &[0; 1000]] {
                let sealed = key.seal(&PLACE, plaintext).unwrap();
                assert_eq!(sealed.len(), HEADER_LEN + NONCE_LEN + plaintext.len() + TAG_LEN);
                assert_eq!(key.open(&PLACE, &sealed).unwrap().expose_secret(), plaintext);
            }
        }
    }

    #[test]
    fn the_same_value_is_never_sealed_alike() {
        let key = key(Suite::Aes256Gcm);
        assert_ne!(key.seal(&PLACE, b"x").unwrap(), key.seal(&PLACE, b"x").unwrap());
    }

    #[test]
    fn every_flipped_bit_is_an_error() {
        for suite in [Suite::Aes256Gcm, Suite::Sm4Gcm] {
            let key = key(suite);
            let sealed = key.seal(&PLACE, "张三丰".as_bytes()).unwrap();
            for bit in 0..sealed.len() * 8 {
                let mut flipped = sealed.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(key.open(&PLACE, &flipped).is_err(), "bit {bit}");
            }
        }
    }

    #[test]
    fn every_cut_and_every_addition_is_an_error() {
        let key = key(Suite::Aes256Gcm);
        let mut sealed = key.seal(&PLACE, b"18 years").unwrap();
        for len in 0..sealed.len() {
            assert!(key.open(&PLACE, &sealed[..len]).is_err(), "{len} bytes");
        }
        sealed.push(0);
        assert!(matches!(key.open(&PLACE, &sealed), Err(Error::Forged)));
    }

    #[test]
    fn places_that_read_alike_when_joined_are_different() {
        let key = key(Suite::Sm4Gcm);
        let sealed = key.seal(&PLACE, b"x").unwrap();
        for place in [&[&b"a"[..], b"bc"][..], &[b"abc"], &[b"ab", b"c", b""], &[]] {
            assert!(matches!(key.open(place, &sealed), Err(Error::Forged)));
        }
    }

    #[test]
    fn the_header_tells_the_suite_and_the_version() {
        let version = KeyVersion::new(0x0102_0304).unwrap();
        let key = Key::new(version, Suite::Sm4Gcm.random_key().unwrap()).unwrap();
        let sealed = key.seal(&PLACE, b"x").unwrap();
        assert_eq!(sealed[..HEADER_LEN], [1, 2, 1, 2, 3, 4]);
        assert_eq!(Header::of(&sealed).unwrap().to_string(), "sm4-gcm key version 16909060");
    }

    #[test]
    fn headers_of_other_makes_are_refused() {
        assert!(matches!(Header::of(b""), Err(Error::Malformed)));
        assert!(matches!(Header::of(&[2, 1, 0, 0, 0, 1]), Err(Error::UnknownFormat(2))));
        assert!(matches!(Header::of(&[1, 3, 0, 0, 0, 1]), Err(Error::UnknownSuite(3))));
        assert!(matches!(Header::of(&[1, 1, 0, 0, 0, 0]), Err(Error::Malformed)));
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let key = Key::new(KeyVersion::FIRST, vec![0xa7; 32].into()).unwrap();
        let shown = format!("{key:?} {key:#?}");
        assert!(shown.contains("REDACTED"));
        assert!(!shown.contains("167") && !shown.to_lowercase().contains("a7a7"), "{shown}");
    }
}
