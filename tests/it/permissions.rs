//! What each role may do: `proto/PERMISSIONS.md` has it as the contract grants it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

use prost_reflect::{MethodDescriptor, ServiceDescriptor};
use tongxin_platform::access::{AccessConfig, MethodPermissions, MethodRule};
use tongxin_proto::{POOL, options::v1::Role, words::Word as _};

use crate::pages;

/// Permissions by role.
static GRANTED: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| AccessConfig::default().roles);

/// All roles, in the order of the contract.
pub static ROLES: LazyLock<Vec<&str>> = LazyLock::new(Role::words);

/// What the contract says of a method.
pub fn rule(method: &MethodDescriptor) -> Arc<MethodRule> {
    let service = method.parent_service().full_name().to_owned();
    let rules = MethodPermissions::of_services(&POOL, &[&service]).unwrap();
    Arc::clone(rules.of_method(&format!("/{service}/{}", method.name())).unwrap())
}

/// Whether a role has a permission unless settings say otherwise.
pub fn is_granted(permission: &str, role: &str) -> bool {
    GRANTED[role].iter().any(|granted| granted == permission)
}

#[test]
fn the_page_of_permissions_is_that_of_the_contract() {
    let mut page = HEAD.to_owned();
    for service in POOL.services().filter(|service| service.package_name().starts_with("tongxin.")) {
        section(&mut page, &service);
    }
    pages::keep("PERMISSIONS.md", &page);
}

const HEAD: &str = "# Permissions

Which role may call which method, unless the settings of an installation say otherwise (`access.roles`). Within a method a role sees
and changes what lies in its region. A row without a method is a permission that some requests of the method above need
besides; the comment of the method says which. `history.load` is needed for dates before the entry window.

`make pages` writes this page from the contract (`tongxin.options.v1.permission`, `also` and `grants`).
";

fn section(page: &mut String, service: &ServiceDescriptor) {
    let mut rows = Vec::new();
    for method in service.methods() {
        let rule = rule(&method);
        rows.push((method.name().to_owned(), rule.permission.clone()));
        rows.extend(rule.also.iter().map(|also| (String::new(), also.clone())));
    }
    let widest = |of: fn(&(String, String)) -> &String| rows.iter().map(|row| of(row).len()).max().unwrap_or_default();
    let (first, second) = (widest(|row| &row.0), widest(|row| &row.1).max("permission".len()));
    write!(page, "\n## {}\n\n| {:first$} | {:second$} |", service.full_name(), "method", "permission").unwrap();
    for role in ROLES.iter() {
        write!(page, " {role} |").unwrap();
    }
    write!(page, "\n|{:-<1$}|{2:-<3$}|", "", first + 2, "", second + 2).unwrap();
    for role in ROLES.iter() {
        write!(page, ":{}:|", "-".repeat(role.len())).unwrap();
    }
    for (method, permission) in rows {
        write!(page, "\n| {method:first$} | {permission:second$} |").unwrap();
        for role in ROLES.iter() {
            let mark = if is_granted(&permission, role) { "x" } else { "" };
            write!(page, " {mark:^0$} |", role.len()).unwrap();
        }
    }
    page.push('\n');
}

/// Who has a permission.
fn those_with(permission: &str) -> Vec<&str> {
    ROLES.iter().copied().filter(|role| is_granted(permission, role)).collect()
}

#[test]
fn a_method_that_refuses_history_says_what_permits_it() {
    for method in POOL.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let rule = rule(&method);
        let (refuses, permits) =
            (rule.refuses.contains("HISTORY_NOT_ALLOWED"), rule.also.iter().any(|also| also == "history.load"));
        assert_eq!(refuses, permits, "{}", method.full_name());
    }
}

#[test]
fn a_department_warns_and_does_not_learn_who_is_known() {
    let department: BTreeSet<&str> = GRANTED["department"].iter().map(String::as_str).collect();
    assert!(department.contains("monitoring.warning.submit") && department.contains("gateway.scorecard.read"));
    for noun in ["household", "observation", "verdict", "signal", "case", "defect", "import"] {
        assert!(!department.iter().any(|name| name.starts_with(&format!("monitoring.{noun}."))), "{noun}");
    }
}

#[test]
fn figures_about_persons_are_read_by_all_roles_but_departments() {
    let others: Vec<_> = ROLES.iter().copied().filter(|role| *role != "department").collect();
    assert_eq!(those_with("gateway.person_figure.read"), others);
}

#[test]
fn what_is_personal_is_revealed_by_those_alone_who_keep_or_audit_it() {
    assert_eq!(those_with("monitoring.household.reveal"), ["hq", "county", "town", "village", "auditor"]);
}

#[test]
fn who_looked_at_what_is_told_to_auditors_alone() {
    assert_eq!(those_with("monitoring.disclosure.audit"), ["auditor"]);
}

#[test]
fn a_case_goes_up_from_village_to_county() {
    assert_eq!(those_with("monitoring.case.step"), ["hq", "county", "town", "village"]);
    assert_eq!(those_with("monitoring.case.review"), ["hq", "county", "town"]);
    assert_eq!(those_with("monitoring.case.approve"), ["hq", "county"]);
}
