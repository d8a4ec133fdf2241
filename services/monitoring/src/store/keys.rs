//! The keys that personal data is sealed and found by.

use tongxin_platform::personal::{BlindIndex, Error, MasterKeys, PersonalConfig};
use uuid::Uuid;

/// A keyed hash by which somebody is found. Of all types with 128 bits, Postgres compares a uuid quickest.
pub type Hash = Uuid;

/// Master keys, and the key of the blind indexes.
#[derive(Debug)]
pub struct Keys {
    /// Wrap the data key of each household.
    pub masters: MasterKeys,
    index: BlindIndex,
}

impl Keys {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// When one of them holds no key.
    pub fn load(config: &PersonalConfig) -> Result<Self, Error> {
        Ok(Self { masters: MasterKeys::load(config)?, index: BlindIndex::load(config)? })
    }

    /// By what an ID number is found, whatever the case of its X. Half of the hash is enough to tell
    /// all people apart.
    #[must_use]
    pub fn of_id_number(&self, id_number: &str) -> Hash {
        half(self.index.of("member.id_number", &id_number.to_ascii_uppercase()))
    }

    /// By what a full name is found.
    #[must_use]
    pub fn of_name(&self, name: &str) -> Hash {
        half(self.index.of("member.name", name.trim()))
    }
}

fn half(hash: [u8; 32]) -> Hash {
    Hash::from_bytes(std::array::from_fn(|place| hash[place]))
}
