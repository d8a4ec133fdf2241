//! The keys for sealing and finding personal data.

use secrecy::ExposeSecret as _;
use tongxin_platform::personal::{BlindIndex, Error, MasterKeys, PersonalConfig};
use uuid::Uuid;

use crate::domain::household::Household;

/// A blind index. Of all 128-bit types, Postgres compares uuid fastest.
pub type Hash = Uuid;

/// Number of digits that name the issuing area in an ID number (GB 11643).
const AREA_DIGITS: usize = 6;

/// Master keys, and the key of the blind indexes.
#[derive(Debug)]
pub struct Keys {
    /// Wrap the data key of each household.
    pub masters: MasterKeys,
    index: BlindIndex,
}

impl Keys {
    /// Reads the key files in the settings.
    ///
    /// # Errors
    /// If a file holds no key.
    pub fn load(config: &PersonalConfig) -> Result<Self, Error> {
        Ok(Self { masters: MasterKeys::load(config)?, index: BlindIndex::load(config)? })
    }

    /// The blind index of an ID number, ignoring the case of its X. Its first byte is a byte of the hash of the issuing
    /// area, so that most of a county's file goes into one part of an index, however many people there are. A holder of
    /// the tables without the key can see who may have been born in the same area, among members and people in warnings
    /// alike; fourteen areas of the country share each byte. The other 120 bits tell all people apart.
    #[must_use]
    pub fn of_id_number(&self, id_number: &str) -> Hash {
        let id_number = id_number.to_ascii_uppercase();
        let area = id_number.get(..AREA_DIGITS).unwrap_or(&id_number);
        let mut hash = half(self.index.of("member.id_number", &id_number)).into_bytes();
        hash[0] = self.index.of("member.id_number.area", area)[0];
        Hash::from_bytes(hash)
    }

    /// The blind indexes of the present members of a household.
    pub fn of_members(&self, household: &Household) -> impl Iterator<Item = Hash> {
        household.present().map(|member| self.of_id_number(member.personal.id_number.expose_secret()))
    }

    /// The blind index of a full name.
    #[must_use]
    pub fn of_name(&self, name: &str) -> Hash {
        half(self.index.of("member.name", name.trim()))
    }
}

fn half(hash: [u8; 32]) -> Hash {
    Hash::from_bytes(std::array::from_fn(|place| hash[place]))
}

#[cfg(test)]
mod tests {
    use tongxin_platform::personal::{KeyVersion, Suite};

    use super::*;

    fn keys(index: u8) -> Keys {
        let masters = MasterKeys::new(Suite::Aes256Gcm, KeyVersion::FIRST, [(KeyVersion::FIRST, vec![1; 32].into())]);
        let index = BlindIndex::new(Suite::Aes256Gcm, vec![index; 32].into());
        Keys { masters: masters.unwrap(), index: index.unwrap() }
    }

    fn parts(hash: Hash) -> (u8, [u8; 15]) {
        let [area, own @ ..] = hash.into_bytes();
        (area, own)
    }

    #[test]
    fn numbers_of_one_area_are_next_to_each_other_and_differ() {
        let keys = keys(7);
        let (area, own) = parts(keys.of_id_number("44182319900101123X"));
        let (same_area, other) = parts(keys.of_id_number("441823199001011248"));
        let (another_area, _) = parts(keys.of_id_number("44188119900101123X"));
        assert_eq!(area, same_area);
        assert_ne!(own, other);
        assert_ne!(area, another_area);
    }

    /// Made with Python's hmac: people must stay findable in every later release.
    #[test]
    fn a_hash_never_changes() {
        assert_eq!(keys(7).of_id_number("44182319900101123X").to_string(), "72142c5a-b881-409d-8b51-623927ed70c4");
    }

    #[test]
    fn a_number_is_found_whatever_the_case_of_its_x_and_only_by_the_key() {
        let number = keys(7).of_id_number("44182319900101123X");
        assert_eq!(number, keys(7).of_id_number("44182319900101123x"));
        let other = keys(8).of_id_number("44182319900101123X");
        assert_ne!(parts(number).0, parts(other).0);
        assert_ne!(parts(number).1, parts(other).1);
    }

    #[test]
    fn what_is_shorter_than_an_area_has_a_hash_too() {
        assert_ne!(keys(7).of_id_number("4418"), keys(7).of_id_number("4419"));
    }
}
