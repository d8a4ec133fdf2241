//! Values of the contract as people write them: `serious_illness` for `HEALTH_SERIOUS_ILLNESS`.

use tongxin_proto::monitoring::v1;

/// A kind of value with a name for each.
pub trait Word: Copy + Default + TryFrom<i32> + 'static {
    /// Its name in the contract.
    fn full_name(self) -> &'static str;

    /// Its name as people write it.
    fn word(self) -> String {
        // The first of each kind is "..._UNSPECIFIED".
        let prefix = Self::default().full_name().trim_end_matches("UNSPECIFIED");
        self.full_name().trim_start_matches(prefix).to_ascii_lowercase()
    }

    /// All there are, but for the one that says nothing.
    fn all() -> impl Iterator<Item = Self> {
        (1..).map_while(|number| Self::try_from(number).ok())
    }

    /// The one of a word, or what there is instead.
    fn named(word: &str) -> Result<Self, String> {
        let known = || Self::all().map(Self::word).collect::<Vec<_>>().join(", ");
        Self::all().find(|value| value.word() == word).ok_or_else(|| format!("{word:?} is none of: {}", known()))
    }
}

macro_rules! words {
    ($($kind:ident)*) => {
        $(impl Word for v1::$kind {
            fn full_name(self) -> &'static str {
                self.as_str_name()
            }
        })*
    };
}

words! {
    Department Disaster Health HousingGrade Insurance LabourAbility LookUpKey Relation RevealPurpose Risk Schooling SignalKind SocialSupport
    Step Work
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_named_as_people_write_them() {
        assert_eq!(v1::Health::SeriousIllness.word(), "serious_illness");
        assert_eq!(v1::Department::named("civil_affairs"), Ok(v1::Department::CivilAffairs));
        assert_eq!(v1::HousingGrade::named("A").unwrap_err(), "\"A\" is none of: a, b, c, d");
        assert!(v1::Step::named("unspecified").is_err());
    }
}
