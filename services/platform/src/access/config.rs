//! Settings of access: whose tokens are good, and what roles may do.

use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
};

use serde::{Deserialize, Deserializer, Serialize};
use tongxin_proto::{Contract, POOL, PRODUCT};

use super::permissions::granted;
use crate::{limit::HourlyLimits, secret::Address};

/// Whose tokens are accepted, and what each role may do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessConfig {
    /// Those who sign tokens. Without any, no call is accepted.
    pub issuers: Vec<IssuerConfig>,
    /// Permissions of each role, as `<service>.<noun>.<verb>`; `*` stands for any one part. A role that is named here may
    /// do what is listed and nothing else; any other has what the contract grants it.
    #[serde(deserialize_with = "over_the_contract")]
    pub roles: BTreeMap<String, Vec<String>>,
    /// How often within an hour bearers of a role may look persons up and have their data revealed, where that is not
    /// 200 and 100. Who has several roles has the largest numbers of them.
    pub limits: BTreeMap<String, HourlyLimits>,
}

/// Somebody who signs tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The `iss` claim of its tokens.
    pub issuer: String,
    /// The `aud` claim that its tokens need.
    #[serde(default = "default_audience")]
    pub audience: String,
    /// Where its public keys are.
    pub keys: KeySource,
    /// A PEM file of the CA certificates that the https address of the keys is trusted by, alone; those of the machine
    /// otherwise. It is read again for each fetch.
    #[serde(default)]
    pub keys_ca_file: Option<PathBuf>,
    /// A file with the bearer token by which the address of the keys lets us in, as a cluster's API server asks. It is read
    /// again for each fetch.
    #[serde(default)]
    pub keys_token_file: Option<PathBuf>,
    /// The claim that holds the roles: a text or a list of texts. Claims are named as they are, or by a path through objects:
    /// `realm_access.roles`.
    #[serde(default = "default_roles_claim")]
    pub roles_claim: String,
    /// The claim that holds the region: its 12-digit code, or a word of `region_of`. A list of exactly one text is that text.
    #[serde(default = "default_region_claim")]
    pub region_claim: String,
    /// The claim that holds the department that the bearer speaks for, such as `medical_insurance`.
    #[serde(default = "default_department_claim")]
    pub department_claim: String,
    /// Roles by a value of the roles claim, where the issuer uses words of its own. A value
    /// that is not named here is a role of its own name.
    #[serde(default)]
    pub role_of: BTreeMap<String, String>,
    /// Roles by subject, for tokens without a roles claim (Kubernetes service accounts).
    #[serde(default)]
    pub roles_of_subject: BTreeMap<String, Vec<String>>,
    /// Departments by subject, for tokens without a department claim.
    #[serde(default)]
    pub department_of_subject: BTreeMap<String, String>,
    /// Regions by a value of the region claim, where the issuer uses words of its own. A value that is not named here is a code.
    #[serde(default)]
    pub region_of: BTreeMap<String, String>,
    /// Regions by subject, for tokens without a region claim.
    #[serde(default)]
    pub region_of_subject: BTreeMap<String, String>,
    /// The region of all other tokens without a region claim.
    #[serde(default)]
    pub default_region: Option<String>,
    /// Whether its tokens may state the region `000000000000`, which is the whole country.
    #[serde(default)]
    pub may_be_national: bool,
}

/// Where public keys are read from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// A PEM file with one public key (Ed25519, P-256, P-384 or RSA). It is looked at again every other second.
    PemFile(PathBuf),
    /// A file with a JSON Web Key Set, or with one JSON Web Key. It is looked at again every other second.
    JwksFile(PathBuf),
    /// An address that serves a JSON Web Key Set; fetched again when a token names an unknown key, half a minute after the
    /// last time at the earliest, and otherwise every ten minutes.
    JwksUrl(Address),
}

fn default_audience() -> String {
    "tongxin".to_owned()
}

fn default_roles_claim() -> String {
    "roles".to_owned()
}

fn default_region_claim() -> String {
    "region".to_owned()
}

fn default_department_claim() -> String {
    "department".to_owned()
}

impl IssuerConfig {
    /// The defaults for an issuer with its keys.
    #[must_use]
    pub fn new(issuer: impl Into<String>, keys: KeySource) -> Self {
        Self {
            issuer: issuer.into(),
            audience: default_audience(),
            keys,
            keys_ca_file: None,
            keys_token_file: None,
            roles_claim: default_roles_claim(),
            region_claim: default_region_claim(),
            department_claim: default_department_claim(),
            role_of: BTreeMap::new(),
            roles_of_subject: BTreeMap::new(),
            department_of_subject: BTreeMap::new(),
            region_of: BTreeMap::new(),
            region_of_subject: BTreeMap::new(),
            default_region: None,
            may_be_national: false,
        }
    }
}

impl Default for AccessConfig {
    fn default() -> Self {
        Self::of(&PRODUCT)
    }
}

impl AccessConfig {
    /// No issuers, and roles as a contract grants them.
    #[must_use]
    pub fn of(contract: &Contract) -> Self {
        Self { issuers: Vec::new(), roles: granted(contract.pool), limits: BTreeMap::new() }
    }
}

/// What the roles may do: as the contract grants it, but for those that the settings name.
fn over_the_contract<'de, D: Deserializer<'de>>(named: D) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    let mut roles = granted(&POOL);
    roles.extend(BTreeMap::<String, Vec<String>>::deserialize(named)?);
    Ok(roles)
}

/// The permissions that a role's patterns name, and which of the known ones match those with a star.
pub(super) fn matching(patterns: &[String], known: &HashSet<String>) -> HashSet<String> {
    let matches = |permission: &&String| patterns.iter().any(|pattern| names(pattern, permission));
    let named = patterns.iter().filter(|pattern| !pattern.contains('*'));
    named.chain(known.iter().filter(matches)).cloned().collect()
}

/// The log holds every region's events, so a pattern with `*` does not name it.
fn names(pattern: &str, permission: &str) -> bool {
    if pattern == permission {
        return true;
    }
    if permission.starts_with("log.") && !pattern.starts_with("log.") {
        return false;
    }
    let (pattern, permission): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), permission.split('.').collect());
    pattern.len() == permission.len()
        && pattern.iter().zip(&permission).all(|(pattern, part)| *pattern == "*" || pattern == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::MethodPermissions;

    #[test]
    fn a_star_stands_for_one_part() {
        assert!(names("*.*.read", "ledger.page.read"));
        assert!(names("ledger.*.read", "ledger.page.read"));
        assert!(!names("*.read", "ledger.page.read"));
        assert!(!names("ledger.*.read", "archive.page.read"));
    }

    #[test]
    fn the_log_is_read_only_by_those_who_are_named_for_it() {
        assert!(!names("*.*.read", "log.event.read"));
        assert!(names("log.event.read", "log.event.read"));
    }

    #[test]
    fn every_permission_of_the_contract_is_somebodys() {
        let granted: HashSet<String> = AccessConfig::default().roles.into_values().flatten().collect();
        assert_eq!(granted, MethodPermissions::known(&POOL));
    }

    #[test]
    fn a_role_that_the_settings_name_may_do_what_they_say_and_the_others_what_the_contract_says() {
        let settings = serde_json::json!({ "roles": { "system": ["*.*.read"], "guest": [] } });
        let roles = serde_json::from_value::<AccessConfig>(settings).unwrap().roles;
        let mut expected = AccessConfig::default().roles;
        assert!(expected["system"].len() > 1);
        expected.insert("system".to_owned(), vec!["*.*.read".to_owned()]);
        expected.insert("guest".to_owned(), Vec::new());
        assert_eq!(roles, expected);
    }
}
