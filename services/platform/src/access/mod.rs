//! Who may call what: tokens, roles, permissions and regions.

mod caller;
mod config;
mod credentials;
mod keys;
mod local;
mod permissions;
#[cfg(test)]
mod tests;
mod token;

pub use caller::Caller;
pub use config::{AccessConfig, IssuerConfig, KeySource};
pub use credentials::Credentials;
pub use keys::KeyError;
pub use local::{LocalKey, LocalKeyError, TokenRequest};
pub use permissions::{MethodPermissions, PermissionMissing};
pub use token::{Access, TokenRefused};
