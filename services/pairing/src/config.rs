//! Every setting of pairing, with its default.

use crate::domain::coverage::CoverageRules;

tongxin_platform::section! {
    /// Settings of pairing.
    pub struct Config {
        /// When an assisted village counts as covered, by the rule's name.
        #[serde(default)]
        pub coverage: CoverageRules,
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, io::Write as _};

    use tongxin_platform::{
        config::{ConfigError, Sections},
        error::chain,
    };

    use super::*;
    use crate::domain::{coverage::Need, organisation::OrganisationKind, pairing::PairingKind};

    fn read(toml: &str, variables: &[(&str, &str)]) -> Result<CoverageRules, ConfigError> {
        let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        file.write_all(toml.as_bytes()).unwrap();
        let variables: BTreeMap<_, _> =
            variables.iter().map(|(name, value)| (format!("TONGXIN__{name}"), (*value).to_owned())).collect();
        Sections::read_within(Some(file.path()), Some(variables))?.get("coverage").map(Option::unwrap_or_default)
    }

    const TWO_SCHOOLS: &str = "[[coverage.schools.needs]]\npairing = 'school'\nat_least = 2";

    #[test]
    fn coverage_rules_are_read_from_a_file_and_from_the_environment() {
        let need = |pairing, supporter_host, at_least| Need { pairing, supporter_host, at_least };
        let schools = vec![need(PairingKind::School, vec![], 2)];
        assert_eq!(read(TWO_SCHOOLS, &[]).unwrap().0["schools"].needs, schools);

        let variables = [
            ("COVERAGE__PARTY__NEEDS[0]__PAIRING", "party"),
            ("COVERAGE__PARTY__NEEDS[0]__SUPPORTER_HOST[0]", "enterprise"),
            ("COVERAGE__SCHOOLS__NEEDS[0]__AT_LEAST", "3"),
        ];
        let rules = read(TWO_SCHOOLS, &variables).unwrap().0;
        assert_eq!(rules["party"].needs, [need(PairingKind::Party, vec![OrganisationKind::Enterprise], 1)]);
        assert_eq!(rules["schools"].needs, [need(PairingKind::School, vec![], 3)]);
    }

    #[test]
    fn a_rule_that_covers_every_village_or_none_is_refused() {
        for (rule, fault) in [
            ("needs = []", "covers every village"),
            ("", "needs"),
            ("needs = [{ pairing = 'party', at_least = 0 }]", "at_least has to be 1 or more"),
            ("needs = [{ pairing = 'party', at_least = -1 }]", "-1"),
            ("needs = [{ pairing = 'church' }]", "church"),
            ("needs = [{ pairing = 'party', supporter_host = ['bank'] }]", "bank"),
            ("needs = [{ pairing = 'party', supporter_host = ['party_organisation'] }]", "party_organisation is none"),
            ("needs = [{ pairing = 'school', supporter_host = ['enterprise'] }]", "of the kind party"),
            ("needs = [{ pairing = 'party', least = 2 }]", "least"),
        ] {
            let error = chain(&read(&format!("[coverage.party]\n{rule}"), &[]).unwrap_err());
            assert!(error.contains(fault) && error.contains("coverage.party"), "{rule}: {error}");
        }
        let error = read(TWO_SCHOOLS, &[("COVERAGE__SCHOOLS__NEEDS[0]__AT_LEAST", "0")]).unwrap_err();
        assert!(chain(&error).contains("at_least has to be 1 or more"), "{}", chain(&error));
    }
}
