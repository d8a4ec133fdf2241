//! Authenticates and authorizes requests.

use std::sync::Arc;

use http::{HeaderMap, header::AUTHORIZATION};
use tonic::Status;

use super::{refusals::Refusals, status::refuse, told::method_unknown};
use crate::{
    access::{Access, Caller, Fault, MethodPermissions, TokenRefused},
    error::common,
};

/// Methods that anyone may call: they reveal nothing about anybody. Listed by their whole names, which logs and metrics
/// repeat.
const OPEN: [&str; 4] = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// Whether a method needs no token.
pub(super) fn is_open(path: &str) -> bool {
    OPEN.contains(&path)
}

/// Returns the caller of a request, if it has the method's permission.
pub(super) async fn admit(
    access: &Arc<Access>,
    permissions: &MethodPermissions,
    refusals: &Refusals,
    path: &str,
    headers: &HeaderMap,
) -> Result<Caller, Status> {
    let admitted = async { access.caller(bearer_token(headers)?).await };
    let caller = admitted.await.map_err(|refused| {
        refusals.note(&refused);
        told(refused.fault)
    })?;
    let Some(rule) = permissions.of_method(path) else {
        return Err(method_unknown());
    };
    if caller.may(&rule.permission) {
        Ok(caller)
    } else {
        let text = format!("needs the permission {}", rule.permission);
        Err(refuse(common::PERMISSION_MISSING, text))
    }
}

fn bearer_token(headers: &HeaderMap) -> Result<&str, TokenRefused> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| TokenRefused::new(Fault::Missing, "there is no authorization"))?;
    if values.next().is_some() {
        return Err(TokenRefused::new(Fault::Several, "there is more than one authorization"));
    }
    let bearer = value.to_str().ok().and_then(|value| value.split_once(' '));
    match bearer {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(TokenRefused::new(Fault::Scheme, "the authorization is none of the scheme Bearer")),
    }
}

/// The error that the caller sees.
fn told(fault: Fault) -> Status {
    let (listed, text) = match fault {
        Fault::KeysUnavailable => (
            common::KEYS_UNAVAILABLE,
            "the keys of the token's issuer cannot be had now: wait and send the same request again",
        ),
        Fault::Missing | Fault::Scheme => {
            (common::TOKEN_MISSING, "a token is needed: send the metadata `authorization: Bearer <token>`")
        }
        Fault::Several => (common::TOKEN_INVALID, "there is more than one `authorization`: send one token"),
        Fault::Malformed
        | Fault::CriticalExtension
        | Fault::Type
        | Fault::IssuerUnknown
        | Fault::KeyUnknown
        | Fault::Algorithm
        | Fault::Signature
        | Fault::Audience
        | Fault::ClaimMissing
        | Fault::ClaimMalformed
        | Fault::Expired
        | Fault::NotYetValid
        | Fault::Region => (common::TOKEN_INVALID, "the token is not valid"),
    };
    refuse(listed, text)
}
