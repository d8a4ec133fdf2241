//! Master keys wrap the data keys, and are replaced from time to time.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretSlice};

use super::seal::Key;
use super::{DataKey, Error, Header, KeyVersion, PersonalConfig, Suite};

/// The master keys that are loaded, one of them current.
#[derive(Debug)]
pub struct MasterKeys {
    current: KeyVersion,
    keys: BTreeMap<KeyVersion, Key>,
}

impl MasterKeys {
    /// Reads the key files that the settings name.
    ///
    /// # Errors
    /// [`Error::KeyFile`] or [`Error::KeyText`] for a file, else as [`MasterKeys::new`].
    pub fn load(config: &PersonalConfig) -> Result<Self, Error> {
        Self::new(config.suite, config.current_key, config.read_master_keys()?)
    }

    /// Master keys of 32 (AES) or 16 (SM4) bytes. New data keys get the suite of the current one.
    ///
    /// # Errors
    /// [`Error::NoSuchMasterKey`] when the current one is missing, [`Error::MasterKeyOfOtherSuite`] when
    /// it is not of the suite, [`Error::KeyLength`] when one of them fits no suite.
    pub fn new(
        suite: Suite,
        current: KeyVersion,
        keys: impl IntoIterator<Item = (KeyVersion, SecretSlice<u8>)>,
    ) -> Result<Self, Error> {
        let keys = keys
            .into_iter()
            .map(|(version, material)| Ok((version, Key::new(version, material)?)))
            .collect::<Result<_, Error>>()?;
        let masters = Self { current, keys };

        let found = masters.key(current)?.header().suite;
        if found != suite {
            return Err(Error::MasterKeyOfOtherSuite { version: current, found, wanted: suite });
        }
        Ok(masters)
    }

    /// Makes a data key for an owner. Returns it with its wrapped form, which is the one to keep.
    ///
    /// An owner's next data key (say, for another suite) takes the next version, so that a field tells
    /// which of the two sealed it.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn create(&self, owner: &[u8], version: KeyVersion) -> Result<(DataKey, Vec<u8>), Error> {
        let suite = self.key(self.current)?.header().suite;
        let key: DataKey = Key::new(version, suite.random_key()?)?.into();
        let wrapped = self.wrap(owner, &key)?;
        Ok((key, wrapped))
    }

    /// Opens an owner's wrapped data key.
    ///
    /// # Errors
    /// [`Error::NoSuchMasterKey`] when its master key is not loaded, [`Error::Forged`] when it was
    /// altered or is somebody else's, and the errors of [`Header::of`].
    pub fn open(&self, owner: &[u8], wrapped: &[u8]) -> Result<DataKey, Error> {
        let master = self.key(Header::of(wrapped)?.key_version)?;
        let opened = master.open(&[owner], wrapped)?;
        let (header, material) = Header::split(opened.expose_secret())?;
        Ok(Key::new(header.key_version, material.to_vec().into())?.into())
    }

    /// Wraps an owner's data key with the current master key, or returns `None` if it already is, so that a rotation
    /// can be stopped and started again. The fields stay as they are.
    ///
    /// # Errors
    /// As [`MasterKeys::open`].
    pub fn rewrap(&self, owner: &[u8], wrapped: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let key = self.open(owner, wrapped)?;
        if Header::of(wrapped)?.key_version == self.current {
            return Ok(None);
        }
        self.wrap(owner, &key).map(Some)
    }

    /// The version that wraps new data keys.
    #[must_use]
    pub const fn current(&self) -> KeyVersion {
        self.current
    }

    fn wrap(&self, owner: &[u8], key: &DataKey) -> Result<Vec<u8>, Error> {
        let mut plaintext = key.header().to_bytes().to_vec();
        plaintext.extend_from_slice(key.key().material().expose_secret());
        let plaintext = SecretSlice::from(plaintext);
        self.key(self.current)?.seal(&[owner], plaintext.expose_secret())
    }

    fn key(&self, version: KeyVersion) -> Result<&Key, Error> {
        self.keys.get(&version).ok_or(Error::NoSuchMasterKey(version))
    }
}

#[cfg(test)]
mod tests {
    use super::super::SealLocation;
    use super::*;

    const NAME: SealLocation<'_> = SealLocation { table: "customer", column: "name", row: b"row-1" };
    const OWNER: &[u8] = b"owner-1";

    fn version(number: u8) -> KeyVersion {
        KeyVersion::new(number.into()).unwrap()
    }

    fn material(suite: Suite, number: u8) -> SecretSlice<u8> {
        match suite {
            Suite::Aes256Gcm => vec![number; 32].into(),
            Suite::Sm4Gcm => vec![number; 16].into(),
        }
    }

    /// AES master keys with the versions given, the last one current.
    fn masters(versions: &[u8]) -> MasterKeys {
        let keys = versions.iter().map(|number| (version(*number), material(Suite::Aes256Gcm, *number)));
        let current = version(*versions.last().unwrap());
        MasterKeys::new(Suite::Aes256Gcm, current, keys).unwrap()
    }

    fn sm4_masters() -> MasterKeys {
        let keys = [(version(1), material(Suite::Aes256Gcm, 1)), (version(2), material(Suite::Sm4Gcm, 2))];
        MasterKeys::new(Suite::Sm4Gcm, version(2), keys).unwrap()
    }

    fn name(key: &DataKey, sealed: &[u8]) -> String {
        key.open_text(NAME, sealed).unwrap().expose_secret().to_owned()
    }

    #[test]
    fn a_field_opens_with_the_key_of_its_owner() {
        for masters in [masters(&[1]), sm4_masters()] {
            let (key, wrapped) = masters.create(OWNER, KeyVersion::FIRST).unwrap();
            let sealed = key.seal_text(NAME, "张三丰").unwrap();
            let key = masters.open(OWNER, &wrapped).unwrap();
            assert_eq!(name(&key, &sealed), "张三丰");
        }
    }

    #[test]
    fn a_field_does_not_open_for_another_owner() {
        let masters = masters(&[1]);
        let (key, wrapped) = masters.create(OWNER, KeyVersion::FIRST).unwrap();
        let (other, _) = masters.create(b"owner-2", KeyVersion::FIRST).unwrap();
        let sealed = key.seal_text(NAME, "张三丰").unwrap();

        assert!(matches!(other.open_text(NAME, &sealed), Err(Error::Forged)));
        assert!(matches!(masters.open(b"owner-2", &wrapped), Err(Error::Forged)));
        assert!(matches!(masters.rewrap(b"owner-2", &wrapped), Err(Error::Forged)));
    }

    #[test]
    fn a_wrapped_key_that_is_damaged_or_names_another_master_does_not_open() {
        let masters = masters(&[2, 3]);
        let (_, wrapped) = masters.create(OWNER, KeyVersion::FIRST).unwrap();
        for byte in 0..wrapped.len() {
            let mut flipped = wrapped.clone();
            flipped[byte] ^= 1;
            assert!(masters.open(OWNER, &flipped).is_err(), "byte {byte}");
        }
    }

    #[test]
    fn fields_survive_a_rotation_untouched() {
        let (key, wrapped) = masters(&[1]).create(OWNER, KeyVersion::FIRST).unwrap();
        let sealed = key.seal_text(NAME, "张三丰").unwrap();

        let moved = masters(&[1, 2]).rewrap(OWNER, &wrapped).unwrap().unwrap();
        assert_eq!(Header::of(&moved).unwrap().key_version, version(2));

        let only_new = masters(&[2]);
        assert_eq!(name(&only_new.open(OWNER, &moved).unwrap(), &sealed), "张三丰");
        let error = only_new.open(OWNER, &wrapped).unwrap_err();
        assert_eq!(error.to_string(), "master key version 1 is not loaded");
    }

    #[test]
    fn a_rotation_can_stop_half_way_and_go_on() {
        let old = masters(&[1]);
        let mut kept: Vec<_> = (0..4_u8).map(|owner| old.create(&[owner], KeyVersion::FIRST).unwrap().1).collect();
        let both = masters(&[1, 2]);
        kept[0] = both.rewrap(&[0], &kept[0]).unwrap().unwrap();
        kept[1] = both.rewrap(&[1], &kept[1]).unwrap().unwrap();

        let mut moved = 0;
        for (owner, wrapped) in (0..).zip(&kept) {
            both.open(&[owner], wrapped).unwrap();
            moved += usize::from(both.rewrap(&[owner], wrapped).unwrap().is_some());
        }
        assert_eq!(moved, 2);
    }

    #[test]
    fn aes_fields_stay_readable_under_an_sm4_master() {
        let (key, wrapped) = masters(&[1]).create(OWNER, KeyVersion::FIRST).unwrap();
        let sealed = key.seal_text(NAME, "张三丰").unwrap();

        let masters = sm4_masters();
        let moved = masters.rewrap(OWNER, &wrapped).unwrap().unwrap();
        let old = masters.open(OWNER, &moved).unwrap();
        assert_eq!(old.header().suite, Suite::Aes256Gcm);
        assert_eq!(name(&old, &sealed), "张三丰");

        let (new, _) = masters.create(OWNER, version(2)).unwrap();
        let error = new.open_text(NAME, &sealed).unwrap_err();
        assert_eq!(
            error.to_string(),
            "value is sealed with aes-256-gcm key version 1, the key is sm4-gcm key version 2"
        );
    }

    #[test]
    fn an_erased_owner_stays_unreadable() {
        let masters = masters(&[1]);
        let (key, wrapped) = masters.create(OWNER, KeyVersion::FIRST).unwrap();
        let sealed = key.seal_text(NAME, "张三丰").unwrap();
        drop((key, wrapped));

        let (again, _) = masters.create(OWNER, KeyVersion::FIRST).unwrap();
        assert!(matches!(again.open_text(NAME, &sealed), Err(Error::Forged)));
    }

    #[test]
    fn an_old_dump_is_unreadable_without_the_old_master() {
        let (_, dumped) = masters(&[1]).create(OWNER, KeyVersion::FIRST).unwrap();
        assert!(matches!(masters(&[2]).open(OWNER, &dumped), Err(Error::NoSuchMasterKey(_))));
    }

    #[test]
    fn the_current_master_must_be_there_and_of_the_suite() {
        let keys = || [(version(1), material(Suite::Aes256Gcm, 1))];
        let error = MasterKeys::new(Suite::Aes256Gcm, version(2), keys()).unwrap_err();
        assert!(matches!(error, Error::NoSuchMasterKey(missing) if missing == version(2)));

        let error = MasterKeys::new(Suite::Sm4Gcm, version(1), keys()).unwrap_err();
        assert_eq!(error.to_string(), "master key version 1 is for aes-256-gcm, but the suite is sm4-gcm");
    }

    #[test]
    fn master_keys_do_not_show_themselves() {
        let keys = [(version(1), SecretSlice::from(vec![0xa7; 32]))];
        let masters = MasterKeys::new(Suite::Aes256Gcm, version(1), keys).unwrap();
        let shown = format!("{masters:?} {masters:#?}");
        assert!(shown.contains("REDACTED") && !shown.contains("167"), "{shown}");
    }
}
