//! Data keys seal the fields of one owner, each to its place.

use secrecy::{ExposeSecret, SecretSlice, SecretString};

use super::seal::Key;
use super::{Error, Header};

/// The one place where a sealed field opens.
#[derive(Debug, Clone, Copy)]
pub struct SealLocation<'a> {
    /// The table's name.
    pub table: &'a str,

    /// The column's name.
    pub column: &'a str,

    /// The row's id, always in the same form, for example the 16 bytes of a UUID.
    pub row: &'a [u8],
}

impl<'a> SealLocation<'a> {
    const fn parts(&self) -> [&'a [u8]; 3] {
        [self.table.as_bytes(), self.column.as_bytes(), self.row]
    }
}

/// Seals the fields of one owner. Good for 2^32 fields, the limit of random nonces.
#[derive(Debug)]
pub struct DataKey(Key);

impl From<Key> for DataKey {
    fn from(key: Key) -> Self {
        Self(key)
    }
}

impl DataKey {
    /// Seals bytes to their place.
    ///
    /// # Errors
    /// [`Error::Randomness`] or [`Error::TooLong`].
    pub fn seal(&self, place: SealLocation<'_>, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.seal(&place.parts(), plaintext)
    }

    /// Opens bytes that were sealed with this key to this place.
    ///
    /// # Errors
    /// [`Error::Forged`] when they were altered or moved, [`Error::OtherKey`] when the header names
    /// another key, and the errors of [`Header::of`].
    pub fn open(&self, place: SealLocation<'_>, sealed: &[u8]) -> Result<SecretSlice<u8>, Error> {
        self.0.open(&place.parts(), sealed)
    }

    /// Seals text to its place.
    ///
    /// # Errors
    /// As [`DataKey::seal`].
    pub fn seal_text(&self, place: SealLocation<'_>, text: &str) -> Result<Vec<u8>, Error> {
        self.seal(place, text.as_bytes())
    }

    /// Opens text that was sealed with this key to this place.
    ///
    /// # Errors
    /// As [`DataKey::open`], and [`Error::NotText`].
    pub fn open_text(&self, place: SealLocation<'_>, sealed: &[u8]) -> Result<SecretString, Error> {
        let bytes = self.open(place, sealed)?;
        let text = str::from_utf8(bytes.expose_secret()).map_err(|_| Error::NotText)?;
        Ok(text.into())
    }

    pub(super) const fn key(&self) -> &Key {
        &self.0
    }

    /// The suite and version that this key writes into what it seals.
    #[must_use]
    pub const fn header(&self) -> Header {
        self.0.header()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{KeyVersion, Suite};
    use super::*;

    const NAME: SealLocation<'_> = SealLocation { table: "customer", column: "name", row: b"row-1" };

    fn new_key(suite: Suite) -> DataKey {
        key(suite.random_key().unwrap())
    }

    fn key(material: SecretSlice<u8>) -> DataKey {
        DataKey::from(Key::new(KeyVersion::FIRST, material).unwrap())
    }

    #[test]
    fn a_field_opens_in_no_other_row_column_or_table() {
        for suite in [Suite::Aes256Gcm, Suite::Sm4Gcm] {
            let key = new_key(suite);
            let sealed = key.seal_text(NAME, "张三丰").unwrap();
            assert_eq!(key.open_text(NAME, &sealed).unwrap().expose_secret(), "张三丰");

            let elsewhere = [
                SealLocation { table: "person", ..NAME },
                SealLocation { column: "phone", ..NAME },
                SealLocation { row: b"row-2", ..NAME },
                SealLocation { table: "customername", column: "", ..NAME },
            ];
            for place in elsewhere {
                assert!(matches!(key.open_text(place, &sealed), Err(Error::Forged)), "{place:?}");
            }
        }
    }

    #[test]
    fn a_sealed_field_does_not_hold_the_text() {
        let sealed = new_key(Suite::Sm4Gcm).seal_text(NAME, "张三丰").unwrap();
        assert!(!sealed.windows(3).any(|part| part == "张".as_bytes()));
    }

    #[test]
    fn bytes_that_are_no_text_are_an_error() {
        let key = new_key(Suite::Aes256Gcm);
        let sealed = key.seal(NAME, &[0xff]).unwrap();
        assert!(matches!(key.open_text(NAME, &sealed), Err(Error::NotText)));
        assert_eq!(key.open(NAME, &sealed).unwrap().expose_secret(), [0xff]);
    }

    /// Made with OpenSSL: what is stored must open in every later release.
    #[test]
    fn the_format_never_changes() {
        let stored = [
            (32, "0101000000016465666768696a6b6c6d6e6fada77e82c160b2268e7fde41ead6b19a3c38049e637afba0ca"),
            (16, "0102000000016465666768696a6b6c6d6e6f50b736245f971b43ca4d58aca047336fa2b708df4e9e23444d"),
        ];
        for (len, sealed) in stored {
            let key = key((0..len).collect::<Vec<u8>>().into());
            let sealed = hex::decode(sealed).unwrap();
            assert_eq!(key.open_text(NAME, &sealed).unwrap().expose_secret(), "张三丰");
        }
    }

    #[test]
    fn neither_key_nor_text_shows_itself() {
        let key = key(vec![0xa7; 32].into());
        let sealed = key.seal_text(NAME, "张三丰").unwrap();
        let text = key.open_text(NAME, &sealed).unwrap();
        let shown = format!("{key:?} {key:#?} {text:?}");
        assert!(shown.contains("REDACTED"));
        assert!(!shown.contains("167") && !shown.contains("张"), "{shown}");
    }
}
