//! Permissions of methods, from the contract.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};

/// What the contract says about a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodRule {
    /// The permission that it needs.
    pub permission: String,
    /// Permissions that some requests need in addition.
    pub also: Vec<String>,
    /// The reasons that it may refuse for, in addition to the common ones.
    pub refuses: HashSet<String>,
    /// Whether the caller sends a stream.
    pub client_streaming: bool,
    /// Whether the response is a stream.
    pub server_streaming: bool,
}

/// The rules of all methods of a server.
#[derive(Debug, Clone)]
pub struct MethodPermissions {
    rules: HashMap<String, Arc<MethodRule>>,
}

/// A server with a method without a permission does not start.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PermissionMissing {
    /// The contract does not name a permission.
    #[error("the contract names no permission for {0}: add option (tongxin.options.v1.permission)")]
    Method(String),
    /// The contract has no such service.
    #[error("the contract does not know the service {0}")]
    Service(String),
}

impl MethodPermissions {
    /// Reads the permissions of services by their full names.
    ///
    /// # Errors
    /// If a service is unknown or a method has no permission.
    pub fn of_services(pool: &DescriptorPool, services: &[&str]) -> Result<Self, PermissionMissing> {
        let mut rules = HashMap::new();
        for name in services {
            let service =
                pool.get_service_by_name(name).ok_or_else(|| PermissionMissing::Service((*name).to_owned()))?;
            for method in service.methods() {
                let permission = permission(pool, &method)
                    .ok_or_else(|| PermissionMissing::Method(method.full_name().to_owned()))?;
                let path = format!("/{name}/{}", method.name());
                let rule = MethodRule {
                    permission,
                    also: also(pool, &method),
                    refuses: refuses(pool, &method),
                    client_streaming: method.is_client_streaming(),
                    server_streaming: method.is_server_streaming(),
                };
                rules.insert(path, Arc::new(rule));
            }
        }
        Ok(Self { rules })
    }

    /// The rule of the method with a path such as `/tongxin.log.v1.LogService/GetHead`.
    #[must_use]
    pub fn of_method(&self, path: &str) -> Option<&Arc<MethodRule>> {
        self.rules.get(path)
    }

    /// Every permission in the contract, for a method or for some of its requests.
    #[must_use]
    pub fn known(pool: &DescriptorPool) -> HashSet<String> {
        let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        let of_method = |method| permission(pool, &method).into_iter().chain(also(pool, &method));
        methods.flat_map(of_method).collect()
    }
}

/// Permissions by role, as services of the contract grant them: `<permission>: <role> <role>`.
pub(super) fn granted(pool: &DescriptorPool) -> BTreeMap<String, Vec<String>> {
    let mut roles = BTreeMap::<String, Vec<String>>::new();
    for grant in pool.services().flat_map(|service| texts(pool, &service.options(), "grants")) {
        // The build of the contract refuses any other form.
        let Some((permission, to)) = grant.split_once(": ") else { continue };
        for role in to.split(' ') {
            roles.entry(role.to_owned()).or_default().push(permission.to_owned());
        }
    }
    roles
}

fn permission(pool: &DescriptorPool, method: &MethodDescriptor) -> Option<String> {
    let extension = pool.get_extension_by_name("tongxin.options.v1.permission")?;
    let options = method.options();
    let permission = options.get_extension(&extension).as_str()?.to_owned();
    (!permission.is_empty()).then_some(permission)
}

/// A method's own reasons, and those of the methods that it refers to.
fn refuses(pool: &DescriptorPool, method: &MethodDescriptor) -> HashSet<String> {
    let named = texts(pool, &method.options(), "refuses_as");
    let others = method.parent_service().methods().filter(|other| named.iter().any(|name| name == other.name()));
    let others = others.flat_map(|other| refuses(pool, &other));
    texts(pool, &method.options(), "refuses").into_iter().chain(others.collect::<Vec<_>>()).collect()
}

fn also(pool: &DescriptorPool, method: &MethodDescriptor) -> Vec<String> {
    texts(pool, &method.options(), "also")
}

/// Values of a repeated text option of ours.
fn texts(pool: &DescriptorPool, options: &DynamicMessage, option: &str) -> Vec<String> {
    let Some(extension) = pool.get_extension_by_name(&format!("tongxin.options.v1.{option}")) else {
        return Vec::new();
    };
    let stated = options.get_extension(&extension);
    stated.as_list().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
