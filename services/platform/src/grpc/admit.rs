//! Decides whether a request may come in.

use std::sync::Arc;

use http::{HeaderMap, header::AUTHORIZATION};
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};

use super::{refusals::Refusals, told::method_unknown};
use crate::{
    access::{Access, Caller, Fault, MethodPermissions},
    error::ErrorKind,
};

/// Methods that anyone may call: they say nothing about anybody. By their whole names, which logs and metrics repeat.
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

/// Finds out who calls, and whether they may.
pub(super) async fn admit(
    access: &Arc<Access>,
    permissions: &MethodPermissions,
    refusals: &Refusals,
    path: &str,
    headers: &HeaderMap,
) -> Result<Caller, Status> {
    let token = bearer_token(headers)?;
    let caller = access.caller(token).await.map_err(|refused| {
        refusals.note(&refused);
        if refused.fault == Fault::KeysUnavailable {
            let text = "the keys of the token's issuer cannot be had now: wait and send the same request again";
            return refuse(ErrorKind::Unavailable, "KEYS_UNAVAILABLE", text.to_owned());
        }
        refuse(ErrorKind::Unauthenticated, "TOKEN_INVALID", "the token is not valid".to_owned())
    })?;
    let Some(rule) = permissions.of_method(path) else {
        return Err(method_unknown());
    };
    if caller.may(&rule.permission) {
        Ok(caller)
    } else {
        let text = format!("needs the permission {}", rule.permission);
        Err(refuse(ErrorKind::PermissionDenied, "PERMISSION_MISSING", text))
    }
}

fn bearer_token(headers: &HeaderMap) -> Result<&str, Status> {
    let missing = || {
        let text = "a token is needed: send the metadata `authorization: Bearer <token>`";
        refuse(ErrorKind::Unauthenticated, "TOKEN_MISSING", text.to_owned())
    };
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(missing)?;
    if values.next().is_some() {
        // Who passes calls on might look at the other one.
        let text = "there is more than one `authorization`: send one token";
        return Err(refuse(ErrorKind::Unauthenticated, "TOKEN_INVALID", text.to_owned()));
    }
    let value = value.to_str().map_err(|_| missing())?;
    let (scheme, token) = value.split_once(' ').ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(missing()) }
}

/// A refusal at the door, in the form of every other error.
pub(super) fn refuse(kind: ErrorKind, reason: &str, text: String) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, "access.tongxin", []);
    Status::with_error_details(kind.code(), text, details)
}
