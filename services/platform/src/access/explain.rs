//! A token explained to whoever wants to know why it is refused.

use super::{
    Caller,
    claims::{Claims, Said},
    refused::TokenRefused,
};

/// What a token says, what that means here, and whether it is good. Only the verdict is to be believed.
#[derive(Debug)]
pub struct Explanation {
    /// The header; none if it is not JSON.
    pub header: Option<Claims>,
    /// The claims; none if they are not JSON.
    pub claims: Option<Claims>,
    /// The issuer that it names, if that is one of the settings.
    pub issuer: Option<String>,
    /// What the claims mean by the settings of that issuer.
    pub said: Option<Said>,
    /// All roles that the settings know.
    pub known_roles: Vec<String>,
    /// What the roles that it states may do, in order.
    pub permissions: Vec<String>,
    /// Who calls by it, or why nobody does.
    pub verdict: Result<Caller, TokenRefused>,
}
