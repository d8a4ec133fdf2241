//! Every setting of pairing, with its default.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use tongxin_platform::{
    config::{AdminConfig, ServiceConfig},
    db::DbConfig,
    grpc::GrpcConfig,
    personal::KeyVersion,
    request::{EntryWindow, RequestKeyError, RequestKeys},
};

use crate::domain::coverage::CoverageRules;

/// Settings of pairing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its database.
    pub database: DbConfig,
    /// Its gRPC server.
    #[serde(default)]
    pub grpc: GrpcConfig,
    /// Its admin port.
    #[serde(default)]
    pub admin: AdminConfig,
    /// A file for each version of the key by which requests are known again, 32 bytes as of `openssl rand -hex 32`. A version stays
    /// here as long as requests that were made under it may come again.
    #[serde(default)]
    pub request_key_files: BTreeMap<KeyVersion, PathBuf>,
    /// The version for new requests; the highest if unset.
    #[serde(default)]
    pub current_request_key: Option<KeyVersion>,
    /// How many days back a date may lie without the permission `history.load`.
    #[serde(default)]
    pub entry_window_days: EntryWindow,
    /// When an assisted village counts as covered, by the rule's name.
    #[serde(default)]
    pub coverage: CoverageRules,
}

impl Config {
    /// The defaults on a database.
    #[must_use]
    pub fn on(database: DbConfig, request_key_files: BTreeMap<KeyVersion, PathBuf>) -> Self {
        Self {
            database,
            grpc: GrpcConfig::default(),
            admin: AdminConfig::default(),
            request_key_files,
            current_request_key: None,
            entry_window_days: EntryWindow::default(),
            coverage: CoverageRules::default(),
        }
    }

    /// The keys by which requests are known again.
    ///
    /// # Errors
    /// When none is named, or one cannot be read.
    pub fn request_keys(&self) -> Result<RequestKeys, RequestKeyError> {
        RequestKeys::load(&self.request_key_files, self.current_request_key)
    }

    /// The part that every service has.
    #[must_use]
    pub fn service(&self) -> ServiceConfig {
        ServiceConfig { database: self.database.clone(), grpc: self.grpc.clone(), admin: self.admin }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tongxin_platform::{
        config::{self, ConfigError},
        error::chain,
    };

    use super::*;
    use crate::domain::{coverage::Need, organisation::OrganisationKind, pairing::PairingKind};

    #[derive(Deserialize)]
    struct Settings {
        coverage: CoverageRules,
    }

    fn read(toml: &str, variables: &[(&str, &str)]) -> Result<CoverageRules, ConfigError> {
        let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        file.write_all(toml.as_bytes()).unwrap();
        let variables: BTreeMap<_, _> =
            variables.iter().map(|(name, value)| (format!("TONGXIN__{name}"), (*value).to_owned())).collect();
        config::load_within::<Settings>(Some(file.path()), Some(variables)).map(|settings| settings.coverage)
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
