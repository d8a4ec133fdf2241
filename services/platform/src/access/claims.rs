//! Reads a token's claims by the settings of its issuer.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    IssuerConfig,
    refused::{Fault, TokenRefused},
};
use crate::region::RegionCode;

/// Tolerated clock skew, in seconds.
const LEEWAY: f64 = 10.0;

pub(super) type Claims = Map<String, Value>;

/// The claims of a token in our own terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The subject; another issuer may use the same text for somebody else.
    pub subject: String,
    /// The region that the bearer may read and change; or why there is none.
    pub region: Result<RegionCode, TokenRefused>,
    /// Our names of the bearer's roles, including those that no setting knows.
    pub roles: Vec<String>,
    /// The department that the bearer speaks for.
    pub department: Option<String>,
    /// The state of the roles claim.
    pub roles_claim: RolesClaim,
}

/// What is found where the settings look for roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RolesClaim {
    /// Roles, or nothing while a setting gives the subject roles.
    Stated,
    /// Nothing.
    Missing,
    /// Something that is neither a text nor a list of texts.
    Malformed,
}

/// A JSON part of a token.
pub(super) fn part<T: DeserializeOwned>(token: &str, number: usize) -> Option<T> {
    let part = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(number)?).ok()?;
    serde_json::from_slice(&part).ok()
}

/// A claim by its whole name, else by a path through objects: `realm_access.roles` is `roles` in `realm_access`. Names
/// on the path may contain dots, too.
pub(super) fn find<'claims>(claims: &'claims Claims, name: &str) -> Option<&'claims Value> {
    let within = |at: usize| find(claims.get(&name[..at])?.as_object()?, &name[at + 1..]);
    claims.get(name).or_else(|| name.match_indices('.').find_map(|(at, _)| within(at)))
}

/// A text, or a list of exactly one: some identity providers give every claim as a list.
fn text(claim: &Value) -> Option<&str> {
    match claim {
        Value::String(text) => Some(text),
        Value::Array(list) => match list.as_slice() {
            [Value::String(text)] => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Checks audience and times of a token (RFC 7519, 4.1.3 to 4.1.5). Returns the second when it expires.
pub(super) fn check(issuer: &IssuerConfig, claims: &Claims, now: i64) -> Result<f64, TokenRefused> {
    let is_for_us = match claims.get("aud") {
        Some(Value::String(audience)) => *audience == issuer.audience,
        Some(Value::Array(all)) => all.iter().any(|audience| audience.as_str() == Some(&issuer.audience)),
        Some(_) => false,
        None => return Err(missing("aud")),
    };
    if !is_for_us {
        return Err(TokenRefused::new(Fault::Audience, format!("aud is not {}", issuer.audience)));
    }
    let expires = seconds(claims, "exp")?.ok_or_else(|| missing("exp"))?;
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
    let now = now as f64;
    if expires + LEEWAY <= now {
        return Err(TokenRefused::new(Fault::Expired, "exp is over"));
    }
    if seconds(claims, "nbf")?.is_some_and(|begins| now < begins - LEEWAY) {
        return Err(TokenRefused::new(Fault::NotYetValid, "nbf is in the future"));
    }
    Ok(expires)
}

/// A `NumericDate` (RFC 7519, 2), which may have a fraction.
fn seconds(claims: &Claims, name: &str) -> Result<Option<f64>, TokenRefused> {
    match claims.get(name) {
        None => Ok(None),
        Some(claim) => match claim.as_f64().filter(|seconds| seconds.is_finite()) {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(TokenRefused::new(Fault::ClaimMalformed, format!("{name} is no number"))),
        },
    }
}

fn missing(claim: &str) -> TokenRefused {
    TokenRefused::new(Fault::ClaimMissing, format!("there is no {claim}"))
}

/// Reads the claims about the bearer.
pub(super) fn read(issuer: &IssuerConfig, claims: &Claims) -> Result<Said, TokenRefused> {
    let subject = match claims.get("sub") {
        None => return Err(missing("sub")),
        Some(claim) => claim.as_str().filter(|subject| !subject.is_empty()),
    };
    let subject = subject.ok_or_else(|| TokenRefused::new(Fault::ClaimMalformed, "sub is no text"))?.to_owned();
    let given = issuer.roles_of_subject.get(&subject);
    let (stated, roles_claim) = match roles(issuer, claims) {
        Ok(stated) => (stated, RolesClaim::Stated),
        Err(RolesClaim::Missing) if given.is_some() => (Vec::new(), RolesClaim::Stated),
        Err(fault) => (Vec::new(), fault),
    };
    Ok(Said {
        region: region(issuer, claims, &subject),
        department: department(issuer, claims, &subject),
        roles_claim,
        roles: stated.into_iter().chain(given.into_iter().flatten().cloned()).collect(),
        subject,
    })
}

/// The value of a claim, mapped by the issuer's table if it has one; without the claim, the setting for the subject,
/// else for the issuer.
fn region(issuer: &IssuerConfig, claims: &Claims, subject: &str) -> Result<RegionCode, TokenRefused> {
    let name = &issuer.region_claim;
    let none = |text: String| TokenRefused::new(Fault::Region, text);
    let stated = match find(claims, name) {
        Some(claim) => {
            let stated = text(claim).ok_or_else(|| none(format!("{name} has to be one text")))?;
            issuer.region_of.get(stated).map_or(stated, String::as_str)
        }
        None => issuer
            .region_of_subject
            .get(subject)
            .or(issuer.default_region.as_ref())
            .ok_or_else(|| none(format!("there is no {name}, and no default_region")))?,
    };
    let read = if issuer.may_be_national { RegionCode::parse_of_caller } else { RegionCode::parse };
    read(stated).map_err(|_| none(format!("{name} is no region code, nor a word of region_of")))
}

/// A claim that is no text names no department, and then the setting for the subject does not apply either.
fn department(issuer: &IssuerConfig, claims: &Claims, subject: &str) -> Option<String> {
    match find(claims, &issuer.department_claim) {
        Some(claim) => text(claim).map(str::to_owned),
        None => issuer.department_of_subject.get(subject).cloned(),
    }
}

/// Our names of the roles in the claim, or the state of the claim.
fn roles(issuer: &IssuerConfig, claims: &Claims) -> Result<Vec<String>, RolesClaim> {
    let stated: Vec<&str> = match find(claims, &issuer.roles_claim).ok_or(RolesClaim::Missing)? {
        Value::String(role) => vec![role],
        Value::Array(roles) => roles.iter().filter_map(Value::as_str).collect(),
        _ => return Err(RolesClaim::Malformed),
    };
    let own = |role: &str| issuer.role_of.get(role).map_or_else(|| role.to_owned(), Clone::clone);
    Ok(stated.into_iter().map(own).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_found_by_its_name_then_by_a_path() {
        let claims = json!({
            "realm_access": { "roles": ["a"], "none": null },
            "https://sso.example/roles": "b",
            "resource_access": { "my.client": { "roles": "c" } },
            "literal.name": "d",
            "literal": { "name": "e" },
        });
        let claims = claims.as_object().unwrap();
        for (name, found) in [
            ("realm_access.roles", Some(json!(["a"]))),
            ("realm_access.none", Some(json!(null))),
            ("realm_access.other", None),
            ("https://sso.example/roles", Some(json!("b"))),
            ("resource_access.my.client.roles", Some(json!("c"))),
            ("literal.name", Some(json!("d"))),
            ("literal.name.more", None),
            (".", None),
            ("", None),
        ] {
            assert_eq!(find(claims, name), found.as_ref(), "{name}");
        }
    }
}
