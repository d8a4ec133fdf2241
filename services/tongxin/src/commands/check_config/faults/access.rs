//! Faults of token issuers, roles and regions.

use std::collections::{BTreeMap, HashSet};

use tongxin_platform::{
    access::{Access, AccessConfig, IssuerConfig, MethodPermissions},
    clock::Clock,
    error::chain,
    region::RegionCode,
};
use tongxin_proto::POOL;

use crate::{
    commands::{department, no_region},
    lang::told,
};

pub(super) fn access_faults(access: AccessConfig, faults: &mut Vec<String>) {
    let known = MethodPermissions::known(&POOL);
    for (role, patterns) in &access.roles {
        for pattern in patterns.iter().filter(|pattern| !pattern.contains('*') && !known.contains(*pattern)) {
            faults.push(told!(
                "access.roles.{role}: no service knows the permission {pattern:?}",
                "access.roles.{role}：没有哪个服务认识权限 {pattern:?}"
            ));
        }
    }
    for role in access.limits.keys().filter(|role| !access.roles.contains_key(*role)) {
        faults.push(told!(
            "access.limits.{role}: access.roles has no such role",
            "access.limits.{role}：access.roles 中没有这个角色"
        ));
    }
    let mut seen = HashSet::new();
    for issuer in access.issuers {
        let name = issuer.issuer.clone();
        if name.is_empty() {
            faults.push(told!(
                "access.issuers: one has no name (the iss claim of its tokens)",
                "access.issuers：有一个没写名称（即令牌中的 iss）"
            ));
        }
        if !seen.insert(name.clone()) {
            faults.push(told!("access.issuers: {name} is there twice", "access.issuers：{name} 写了两次"));
        }
        mapping_faults(&issuer, &access.roles, faults);
        // Key sets at a URL are not fetched here.
        let alone = AccessConfig { issuers: vec![issuer], ..AccessConfig::default() };
        if let Err(error) = Access::new(alone, Clock::system()) {
            faults.push(told!("access.issuers {name}: {}", "access.issuers {name}：{}", chain(&error)));
        }
    }
}

/// Checks that an issuer's words map to existing roles.
fn mapping_faults(issuer: &IssuerConfig, roles: &BTreeMap<String, Vec<String>>, faults: &mut Vec<String>) {
    let name = &issuer.issuer;
    let given = issuer
        .roles_of_subject
        .iter()
        .flat_map(|(subject, roles)| roles.iter().map(move |role| (format!("roles_of_subject.{subject}"), role)));
    let mapped = issuer.role_of.iter().map(|(word, role)| (format!("role_of.{word}"), role));
    for (setting, role) in mapped.chain(given).filter(|(_, role)| !roles.contains_key(*role)) {
        faults.push(told!(
            "access.issuers {name}: {setting}: access.roles has no role {role:?}",
            "access.issuers {name}：{setting}：access.roles 中没有角色 {role:?}"
        ));
    }
    let read = if issuer.may_be_national { RegionCode::parse_of_caller } else { RegionCode::parse };
    let by_word = issuer.region_of.iter().map(|(word, code)| (format!("region_of.{word}"), code));
    let by_subject = issuer.region_of_subject.iter().map(|(who, code)| (format!("region_of_subject.{who}"), code));
    let default = issuer.default_region.iter().map(|code| ("default_region".to_owned(), code));
    for (setting, code) in by_word.chain(by_subject).chain(default) {
        if let Err(error) = read(code) {
            let error = no_region(code, &error);
            faults.push(told!(
                "access.issuers {name}: {setting}: {code:?}: {error}",
                "access.issuers {name}：{setting}：{error}"
            ));
        }
    }
    for (subject, word) in &issuer.department_of_subject {
        if let Err(error) = department(word) {
            faults.push(told!(
                "access.issuers {name}: department_of_subject.{subject}: {error}",
                "access.issuers {name}：department_of_subject.{subject}：{error}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::faults;

    #[test]
    fn words_of_issuers_have_to_mean_something() {
        let found = faults(
            "token_file = 't'
             [telemetry]
             otlp_endpoint = 'collector:4317/%zz'
             sample_ratio = 2.0
             [access.limits]
             boss = { look_ups_per_hour = 1 }
             [[access.issuers]]
             issuer = 'https://sso.example/realms/demo'
             keys = { jwks_url = 'sso.example/keys' }
             role_of = { manager = 'boss', clerk = 'county' }
             roles_of_subject = { robot = ['system', 'robot'] }
             region_of = { yingde = '441881000000', qingyuan = '4418' }
             region_of_subject = { robot = '000000000000' }
             default_region = 'Guangdong'
             department_of_subject = { tax = 'medical_insurance', water = 'fire' }
             [[access.issuers]]
             issuer = 'https://sso.example/realms/demo'
             keys = { jwks_url = 'http://sso.example/keys' }
             keys_token_file = '/nowhere/token'
             [gateway.database]
             url = 'postgres://app@db/gateway'
             [gateway.grpc]
             shares = { system = 50, boss = 10, 'https://sso.example|robot' = 50 }",
        );
        for (fault, start) in found.iter().zip([
            "access.limits.boss: ",
            "access.issuers https://sso.example/realms/demo: role_of.manager: ",
            "access.issuers https://sso.example/realms/demo: roles_of_subject.robot: ",
            "access.issuers https://sso.example/realms/demo: region_of.qingyuan: ",
            "access.issuers https://sso.example/realms/demo: region_of_subject.robot: ",
            "access.issuers https://sso.example/realms/demo: default_region: ",
            "access.issuers https://sso.example/realms/demo: department_of_subject.water: ",
            "access.issuers https://sso.example/realms/demo: sso.example/keys is no address of a key set",
            "access.issuers: https://sso.example/realms/demo is there twice",
            "access.issuers https://sso.example/realms/demo: cannot read the key file /nowhere/token",
            "telemetry.otlp_endpoint: ",
            "telemetry.sample_ratio: ",
            "gateway.grpc.shares.boss: ",
        ]) {
            assert!(fault.starts_with(start), "{fault} is not {start}");
        }
        assert_eq!(found.len(), 13, "{found:#?}");
    }
}
