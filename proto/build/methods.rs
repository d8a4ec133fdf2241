//! Sees to it that the contract says of each method what is decided by it.

use anyhow::{Context as _, Result, bail, ensure};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};

use crate::is_ours;

/// Fails where a method does not say who may call it, or why it refuses.
pub fn check(pool: &DescriptorPool) -> Result<()> {
    for service in pool.services().filter(|service| is_ours(service.package_name())) {
        for method in service.methods() {
            check_method(pool, &method).with_context(|| format!("in {}", method.full_name()))?;
        }
    }
    Ok(())
}

fn check_method(pool: &DescriptorPool, method: &MethodDescriptor) -> Result<()> {
    let options = method.options();
    let option = |name: &str| option(pool, &options, name);
    let permission = option("permission")?;
    let permission = permission.as_str().unwrap_or_default();
    if permission.split('.').filter(|part| !part.is_empty()).count() != 3 {
        bail!("option permission = {permission:?} is no `<service>.<noun>.<verb>`");
    }

    let (refuses, refuses_as) = (texts(&option("refuses")?), texts(&option("refuses_as")?));
    let nothing = option("refuses_nothing_else")?.as_bool() == Some(true);
    if nothing == (!refuses.is_empty() || !refuses_as.is_empty()) {
        bail!("say why it refuses by the options refuses and refuses_as, or else refuses_nothing_else = true");
    }
    for (place, reason) in refuses.iter().enumerate() {
        let is_reason = !reason.is_empty() && reason.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        ensure!(is_reason, "the reason {reason:?} is not written IN_CAPITALS");
        ensure!(!refuses[..place].contains(reason), "the reason {reason} is named twice");
    }
    let of_service = |name: &String| method.parent_service().methods().any(|other| other.name() == name);
    if let Some(unknown) = refuses_as.iter().find(|name| *name == method.name() || !of_service(name)) {
        bail!("refuses_as = {unknown:?} is no other method of the service");
    }
    Ok(())
}

/// An option of ours.
pub fn option(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Result<Value> {
    let extension = pool.get_extension_by_name(&format!("tongxin.options.v1.{name}"));
    Ok(options.get_extension(&extension.with_context(|| format!("there is no option {name}"))?).into_owned())
}

pub fn texts(value: &Value) -> Vec<String> {
    value.as_list().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
