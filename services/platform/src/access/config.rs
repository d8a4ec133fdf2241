//! Settings of access: whose tokens are good, and what roles may do.

use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use crate::{limit::HourlyLimits, secret::Address};

/// Whose tokens are accepted, and what each role may do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessConfig {
    /// Those who sign tokens. Without any, no call is accepted.
    pub issuers: Vec<IssuerConfig>,
    /// Permissions of each role, as `<service>.<noun>.<verb>`; `*` stands for any one part.
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
        Self { issuers: Vec::new(), roles: default_roles(), limits: BTreeMap::new() }
    }
}

/// All that is read and shown masked.
const READ: &[&str] = &["*.*.read"];

/// What a department may read. Masked households and their cases are not among it, nor what counts them: they would
/// tell whether a person is known whom the department warns of. So no pattern stands here for what the gateway reads.
const READ_OF_DEPARTMENTS: &[&str] = &[
    "gateway.indicator.read",
    "gateway.scorecard.read",
    "pairing.*.read",
    "monitoring.rule.read",
    "monitoring.village_income.read",
];

/// Who is paired with whom.
const PAIRINGS: &[&str] = &[
    "pairing.organisation.register",
    "pairing.pairing.establish",
    "pairing.pairing.end",
    "pairing.pairing.void",
    "pairing.activity.record",
    "pairing.activity.void",
];

/// What is done in a village, up to the public notice.
const VILLAGE: &[&str] = &[
    "monitoring.household.register",
    "monitoring.household.change",
    "monitoring.household.find",
    "monitoring.household.reveal",
    "monitoring.observation.record",
    "monitoring.signal.report",
    "monitoring.signal.decide",
    "monitoring.case.open",
    "monitoring.case.step",
    "monitoring.case.propose",
    "monitoring.case.batch",
    "monitoring.measure.plan",
    "monitoring.measure.finish",
    "monitoring.notice.render",
];

/// What concerns several villages, and the review.
const TOWN: &[&str] = &[
    "monitoring.household.import",
    "monitoring.household.move",
    "monitoring.household.merge",
    "monitoring.household.screen",
    "monitoring.observation.import",
    "monitoring.case.review",
    "monitoring.village_income.record",
    "monitoring.defect.check",
];

/// What a county decides.
const COUNTY: &[&str] = &["pairing.organisation.close", "monitoring.case.approve", "monitoring.rule.simulate"];

/// Rules and the register, and what was before.
const RULES: &[&str] = &["monitoring.rule.store", "monitoring.rule.simulate", "monitoring.holiday.set", "history.load"];

/// Who looked at what. Those who look are not among those who audit it.
const AUDIT: &[&str] = &["monitoring.household.find", "monitoring.household.reveal", "monitoring.disclosure.audit"];

const OPERATION: &[&str] =
    &["pairing.region.import", "monitoring.household.import", "monitoring.observation.import", "log.event.read"];

/// What the roles of the domain may do unless an installation says otherwise.
fn default_roles() -> BTreeMap<String, Vec<String>> {
    let roles: [(&str, &[&[&str]]); 8] = [
        ("hq", &[READ, PAIRINGS, VILLAGE, TOWN, COUNTY, RULES]),
        ("county", &[READ, PAIRINGS, VILLAGE, TOWN, COUNTY]),
        ("town", &[READ, PAIRINGS, VILLAGE, TOWN]),
        ("village", &[READ, &["pairing.activity.record", "pairing.activity.void"], VILLAGE]),
        ("department", &[READ_OF_DEPARTMENTS, &["monitoring.warning.submit"]]),
        ("auditor", &[READ, AUDIT]),
        ("operator", &[READ, RULES, OPERATION]),
        ("system", &[READ, &["log.event.read"]]),
    ];
    let owned = |names: &[&[&str]]| names.concat().into_iter().map(str::to_owned).collect();
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
    use tongxin_proto::POOL;

    use super::*;
    use crate::access::MethodPermissions;

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

    /// What a role may do of all that the contract knows.
    fn of_role(role: &str) -> HashSet<String> {
        matching(&default_roles()[role], &MethodPermissions::known(&POOL))
    }

    #[test]
    fn every_permission_of_the_contract_is_somebodys_and_none_is_made_up() {
        let known = MethodPermissions::known(&POOL);
        let roles = default_roles();
        let granted: HashSet<String> = roles.keys().flat_map(|role| of_role(role)).collect();
        assert_eq!(known.difference(&granted).collect::<Vec<_>>(), Vec::<&String>::new());
        let plain = roles.values().flatten().filter(|name| !name.contains('*'));
        assert_eq!(plain.filter(|name| !known.contains(*name)).collect::<Vec<_>>(), Vec::<&String>::new());
    }

    #[test]
    fn a_department_warns_and_does_not_learn_who_is_known() {
        let department = of_role("department");
        assert!(department.contains("monitoring.warning.submit") && department.contains("gateway.scorecard.read"));
        for noun in ["household", "observation", "verdict", "signal", "case", "defect", "import"] {
            assert!(!department.iter().any(|name| name.starts_with(&format!("monitoring.{noun}."))), "{noun}");
        }
    }

    #[test]
    fn figures_about_persons_are_read_by_all_roles_but_departments() {
        let reading = default_roles().into_keys().filter(|role| of_role(role).contains("gateway.person_figure.read"));
        assert_eq!(reading.collect::<Vec<_>>(), ["auditor", "county", "hq", "operator", "system", "town", "village"]);
    }

    #[test]
    fn what_is_personal_is_revealed_by_those_alone_who_keep_or_audit_it() {
        let revealing =
            default_roles().into_keys().filter(|role| of_role(role).contains("monitoring.household.reveal"));
        assert_eq!(revealing.collect::<Vec<_>>(), ["auditor", "county", "hq", "town", "village"]);
    }

    #[test]
    fn who_looked_at_what_is_told_to_auditors_alone() {
        let auditing = default_roles().into_keys().filter(|role| of_role(role).contains("monitoring.disclosure.audit"));
        assert_eq!(auditing.collect::<Vec<_>>(), ["auditor"]);
        assert!(!names("*.*.read", "monitoring.disclosure.audit"));
    }

    #[test]
    fn a_case_goes_up_from_village_to_county() {
        let may = |role: &str, verb: &str| of_role(role).contains(&format!("monitoring.case.{verb}"));
        for (role, step, review, approve) in
            [("village", true, false, false), ("town", true, true, false), ("county", true, true, true)]
        {
            assert_eq!(
                (may(role, "step"), may(role, "review"), may(role, "approve")),
                (step, review, approve),
                "{role}"
            );
        }
    }
}
