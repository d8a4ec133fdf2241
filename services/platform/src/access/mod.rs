//! Who may call what: tokens, roles, permissions and regions.

mod caller;
mod claims;
mod config;
mod credentials;
mod explain;
mod keys;
mod local;
mod permissions;
mod refused;
#[cfg(test)]
mod tests;
mod token;

pub use caller::Caller;
pub use claims::{RolesClaim, Said};
pub use config::{AccessConfig, IssuerConfig, KeySource};
pub use credentials::Credentials;
pub use explain::Explanation;
pub use keys::{KeyError, Unusable};
pub use local::{LocalKey, LocalKeyError, TokenRequest};
pub use permissions::{MethodPermissions, MethodRule, PermissionMissing};
pub use refused::{Fault, TokenRefused};
pub use token::Access;
