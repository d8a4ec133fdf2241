//! Sees to it that every permission of the contract is granted once, to roles that there are.

use std::collections::{HashMap, HashSet};

use anyhow::{Context as _, Result, bail, ensure};
use prost_reflect::{DescriptorPool, ServiceDescriptor};

use crate::{
    is_ours,
    methods::{option, texts},
    words::words,
};

/// Fails where a service grants something twice, or what no method needs, or to a role that there is not; and where a
/// method needs what nobody grants.
pub fn check(pool: &DescriptorPool) -> Result<()> {
    let services: Vec<_> = pool.services().filter(|service| is_ours(service.package_name())).collect();
    let roles = roles(pool)?;
    let mut granted = HashMap::new();
    for service in &services {
        for grant in texts(&option(pool, &service.options(), "grants")?) {
            check_grant(service, &grant, &roles, &mut granted)
                .with_context(|| format!("in {}: grants = {grant:?}", service.full_name()))?;
        }
    }
    let mut needed = HashSet::new();
    for method in services.iter().flat_map(ServiceDescriptor::methods) {
        let options = method.options();
        let permission = option(pool, &options, "permission")?;
        let also = texts(&option(pool, &options, "also")?);
        for permission in permission.as_str().map(str::to_owned).into_iter().chain(also) {
            let name = method.full_name();
            ensure!(
                granted.contains_key(&permission),
                "in {name}: no role has the permission {permission}: grant it by the option grants of its service"
            );
            needed.insert(permission);
        }
    }
    match granted.iter().find(|(permission, _)| !needed.contains(*permission)) {
        Some((permission, service)) => bail!("in {service}: no method needs {permission}, which it grants"),
        None => Ok(()),
    }
}

fn check_grant(
    service: &ServiceDescriptor,
    grant: &str,
    roles: &HashSet<String>,
    granted: &mut HashMap<String, String>,
) -> Result<()> {
    let (permission, to) = grant.split_once(": ").context("it is no `<permission>: <role> <role>`")?;
    let mut seen = HashSet::new();
    for role in to.split(' ') {
        ensure!(roles.contains(role), "there is no role {role:?} in tongxin.options.v1.Role");
        ensure!(seen.insert(role), "the role {role} is named twice");
    }
    let before = granted.insert(permission.to_owned(), service.full_name().to_owned());
    ensure!(before.is_none(), "{permission} is granted already, by {}", before.unwrap_or_default());
    Ok(())
}

/// The names of the roles, such as `hq`.
fn roles(pool: &DescriptorPool) -> Result<HashSet<String>> {
    let roles = pool.get_enum_by_name("tongxin.options.v1.Role").context("there is no enum Role")?;
    Ok(words(&roles)?.into_iter().map(|(_, word)| word).collect())
}
