//! Settings of access: whose tokens are good, and what roles may do.

use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

/// Whose tokens are accepted, and what each role may do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessConfig {
    /// Those who sign tokens. Without any, no call is accepted.
    pub issuers: Vec<IssuerConfig>,
    /// Permissions of each role, as `<service>.<noun>.<verb>`; `*` stands for any one part.
    pub roles: BTreeMap<String, Vec<String>>,
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
    /// The claim that holds the roles: a text or a list of texts.
    #[serde(default = "default_roles_claim")]
    pub roles_claim: String,
    /// The claim that holds the region's 12-digit code.
    #[serde(default = "default_region_claim")]
    pub region_claim: String,
    /// Roles by a value of the roles claim, where the issuer uses words of its own. A value
    /// that is not named here is a role of its own name.
    #[serde(default)]
    pub role_of: BTreeMap<String, String>,
    /// Roles by subject, for tokens without a roles claim (Kubernetes service accounts).
    #[serde(default)]
    pub roles_of_subject: BTreeMap<String, Vec<String>>,
    /// The region of tokens without a region claim.
    #[serde(default)]
    pub default_region: Option<String>,
}

/// Where public keys are read from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// A PEM file with one public key (Ed25519, P-256 or RSA).
    PemFile(PathBuf),
    /// A file with a JSON Web Key Set.
    JwksFile(PathBuf),
    /// An address that serves a JSON Web Key Set; fetched again when a token names an unknown
    /// key, at most every 30 seconds, and otherwise every ten minutes.
    JwksUrl(String),
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

impl IssuerConfig {
    /// The defaults for an issuer with its keys.
    #[must_use]
    pub fn new(issuer: impl Into<String>, keys: KeySource) -> Self {
        Self {
            issuer: issuer.into(),
            audience: default_audience(),
            keys,
            roles_claim: default_roles_claim(),
            region_claim: default_region_claim(),
            role_of: BTreeMap::new(),
            roles_of_subject: BTreeMap::new(),
            default_region: None,
        }
    }
}

impl Default for AccessConfig {
    fn default() -> Self {
        Self { issuers: Vec::new(), roles: default_roles() }
    }
}

/// What the roles of the domain may do unless an installation says otherwise.
fn default_roles() -> BTreeMap<String, Vec<String>> {
    const READ: [&str; 1] = ["*.*.read"];
    const KEEP: [&str; 6] = [
        "pairing.organisation.register",
        "pairing.pairing.establish",
        "pairing.pairing.end",
        "pairing.pairing.void",
        "pairing.activity.record",
        "pairing.activity.void",
    ];
    let roles: [(&str, Vec<&str>); 8] = [
        ("hq", [&READ[..], &KEEP, &["pairing.organisation.close", "history.load"]].concat()),
        ("county", [&READ[..], &KEEP, &["pairing.organisation.close"]].concat()),
        ("town", [&READ[..], &KEEP].concat()),
        ("village", [&READ[..], &["pairing.activity.record", "pairing.activity.void"]].concat()),
        ("department", READ.to_vec()),
        ("auditor", READ.to_vec()),
        ("operator", [&READ[..], &["pairing.region.import", "history.load", "log.event.read"]].concat()),
        ("system", [&READ[..], &["log.event.read"]].concat()),
    ];
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    roles.into_iter().map(|(role, permissions)| (role.to_owned(), owned(permissions))).collect()
}

/// Which of the known permissions a role's patterns name.
pub(super) fn matching(patterns: &[String], known: &HashSet<String>) -> HashSet<String> {
    let named = |permission: &&String| patterns.iter().any(|pattern| names(pattern, permission));
    known.iter().filter(named).cloned().collect()
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

    #[test]
    fn a_star_stands_for_one_part() {
        assert!(names("*.*.read", "pairing.region.read"));
        assert!(names("pairing.*.read", "pairing.region.read"));
        assert!(!names("*.read", "pairing.region.read"));
        assert!(!names("pairing.*.read", "gateway.scorecard.read"));
    }

    #[test]
    fn the_log_is_read_only_by_those_who_are_named_for_it() {
        assert!(!names("*.*.read", "log.event.read"));
        assert!(names("log.event.read", "log.event.read"));
    }
}
