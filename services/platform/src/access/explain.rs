//! Explains to an operator why a token is rejected.

use super::{
    Caller,
    claims::{Claims, Said},
    refused::TokenRefused,
};

/// The contents of a token, their meaning here, and whether it is valid. Only the verdict is verified.
#[derive(Debug)]
pub struct Explanation {
    /// The header; `None` if it is not JSON.
    pub header: Option<Claims>,
    /// The claims; `None` if they are not JSON.
    pub claims: Option<Claims>,
    /// The issuer that it names, if it is configured.
    pub issuer: Option<String>,
    /// The claims by the settings of that issuer.
    pub said: Option<Said>,
    /// All roles in the settings.
    pub known_roles: Vec<String>,
    /// What its roles may do, sorted.
    pub permissions: Vec<String>,
    /// The caller, or why there is none.
    pub verdict: Result<Caller, TokenRefused>,
}
