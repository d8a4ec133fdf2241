//! Values of the contract as people, files and tables write them: `serious_illness` for `HEALTH_SERIOUS_ILLNESS`.

use crate::text::tidy;

/// An enumeration of the contract with a word for each value. The build implements it for all.
pub trait Word: Copy + TryFrom<i32> + Into<i32> {
    /// Numbers and words of all values, in the order of the contract, but for the one that says nothing.
    const WORDS: &'static [(i32, &'static str)];

    /// Its word; `unspecified` for the value that says nothing.
    #[must_use]
    fn word(self) -> &'static str {
        let number = self.into();
        Self::WORDS.iter().find(|(known, _)| *known == number).map_or("unspecified", |(_, word)| word)
    }

    /// All words.
    #[must_use]
    fn words() -> Vec<&'static str> {
        Self::WORDS.iter().map(|(_, word)| *word).collect()
    }

    /// The value of a word, whatever nobody sees around it.
    #[must_use]
    fn from_word(word: &str) -> Option<Self> {
        let word = tidy(word);
        let (number, _) = Self::WORDS.iter().find(|(_, known)| *known == word)?;
        Self::try_from(*number).ok()
    }

    /// The value of a word.
    ///
    /// # Errors
    /// What words there are instead.
    fn named(word: &str) -> Result<Self, String> {
        Self::from_word(word).ok_or_else(|| format!("{word:?} is none of: {}", Self::words().join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{monitoring::v1, register::v1::RegionLevel};

    #[test]
    fn values_are_named_as_people_write_them() {
        assert_eq!(v1::Health::SeriousIllness.word(), "serious_illness");
        assert_eq!(v1::Department::named("civil_affairs"), Ok(v1::Department::CivilAffairs));
        assert_eq!(v1::HousingGrade::named("A").unwrap_err(), "\"A\" is none of: a, b, c, d");
        assert!(v1::Step::named("unspecified").is_err());
        assert_eq!(v1::Relation::named(" head\u{200b}"), Ok(v1::Relation::Head));
        assert_eq!(v1::Step::Unspecified.word(), "unspecified");
        assert_eq!(RegionLevel::words(), ["province", "city", "county", "town", "village", "community"]);
    }

    #[test]
    fn a_word_is_the_name_in_the_contract_without_that_of_the_enumeration() {
        for (number, word) in v1::LabourAbility::WORDS {
            let value = v1::LabourAbility::try_from(*number).unwrap();
            assert_eq!(value.as_str_name(), format!("LABOUR_ABILITY_{}", word.to_ascii_uppercase()));
            assert_eq!((value.word(), v1::LabourAbility::from_word(word)), (*word, Some(value)));
        }
    }
}
