//! Errors that any method of any service may return; the contract does not list them per method.

use super::{ErrorKind, Listed};

const fn listed(kind: ErrorKind, reason: &'static str, when: &'static str) -> Listed {
    Listed { reason, kind, when }
}

/// No token.
pub const TOKEN_MISSING: Listed =
    listed(ErrorKind::Unauthenticated, "TOKEN_MISSING", "The call has no `authorization: Bearer <token>`.");
/// An invalid token; the log says why.
pub const TOKEN_INVALID: Listed = listed(
    ErrorKind::Unauthenticated,
    "TOKEN_INVALID",
    "The token is not good: expired, of an unknown issuer, without a region... The service's log says why.",
);
/// The keys to check tokens with are unavailable.
pub const KEYS_UNAVAILABLE: Listed =
    listed(ErrorKind::Unavailable, "KEYS_UNAVAILABLE", "The keys of the token's issuer cannot be fetched now.");
/// The token's roles do not have the permission of the method.
pub const PERMISSION_MISSING: Listed = listed(
    ErrorKind::PermissionDenied,
    "PERMISSION_MISSING",
    "No role of the token has the permission that is needed.",
);
/// A rule of the contract is broken, or a condition that spans several fields.
pub const INVALID_FIELDS: Listed =
    listed(ErrorKind::Invalid, "INVALID_FIELDS", "A field breaks a rule that its comment states; each one is named.");
/// Nothing is wrong but dates before the first one that is taken.
pub const DATE_TOO_EARLY: Listed = listed(
    ErrorKind::Invalid,
    "DATE_TOO_EARLY",
    "A date lies before 1949-10-01, so its year is probably not whole: 26 instead of 2026.",
);
/// The bytes cannot be decoded as the message.
pub const MESSAGE_MALFORMED: Listed =
    listed(ErrorKind::Invalid, "MESSAGE_MALFORMED", "The body is not the message that the method takes.");
/// A request that is too large.
pub const MESSAGE_TOO_LARGE: Listed =
    listed(ErrorKind::ResourceExhausted, "MESSAGE_TOO_LARGE", "A message has more than 4 MiB, packed or unpacked.");
/// A response that is too large.
pub const ANSWER_TOO_LARGE: Listed =
    listed(ErrorKind::ResourceExhausted, "ANSWER_TOO_LARGE", "The answer has more bytes than are sent at once.");
/// All places are taken.
pub const OVERLOADED: Listed = listed(ErrorKind::Unavailable, "OVERLOADED", "Too many calls are under way.");
/// All places of one caller are taken.
pub const SHARE_EXHAUSTED: Listed =
    listed(ErrorKind::Unavailable, "SHARE_EXHAUSTED", "Too many calls of the same subject or address are under way.");
/// The caller neither sends nor reads.
pub const STALLED: Listed =
    listed(ErrorKind::Late, "STALLED", "The caller sent nothing for too long, or did not take what it was sent.");
/// The caller's deadline, or the limit for the call, has passed.
pub const DEADLINE_EXCEEDED: Listed =
    listed(ErrorKind::Late, "DEADLINE_EXCEEDED", "The call was not done in the time that it may take.");
/// A path that names no method.
pub const METHOD_UNKNOWN: Listed =
    listed(ErrorKind::Unimplemented, "METHOD_UNKNOWN", "The service has no method of that name.");
/// An unknown compression.
pub const COMPRESSION_UNKNOWN: Listed =
    listed(ErrorKind::Unimplemented, "COMPRESSION_UNKNOWN", "The call names a compression that is not known here.");
/// The `request_id` belongs to another request.
pub const REQUEST_ID_REUSED: Listed =
    listed(ErrorKind::AlreadyExists, "REQUEST_ID_REUSED", "The request_id was used for another request.");
/// A row about the same as another.
pub const ROW_TWICE: Listed = listed(
    ErrorKind::Invalid,
    "ROW_TWICE",
    "A row of a batch or an import is about the same as an earlier row of its message, whose number the text says.",
);
/// A dependency does not answer.
pub const UNAVAILABLE: Listed =
    listed(ErrorKind::Unavailable, "UNAVAILABLE", "The database, or another service, does not answer now.");
/// A fault of ours.
pub const INTERNAL: Listed = listed(ErrorKind::Internal, "INTERNAL", "Something broke; the log says what.");

/// All of them, in one list.
pub const COMMON: [Listed; 19] = [
    TOKEN_MISSING,
    TOKEN_INVALID,
    KEYS_UNAVAILABLE,
    PERMISSION_MISSING,
    INVALID_FIELDS,
    DATE_TOO_EARLY,
    MESSAGE_MALFORMED,
    MESSAGE_TOO_LARGE,
    ANSWER_TOO_LARGE,
    OVERLOADED,
    SHARE_EXHAUSTED,
    STALLED,
    DEADLINE_EXCEEDED,
    METHOD_UNKNOWN,
    COMPRESSION_UNKNOWN,
    REQUEST_ID_REUSED,
    ROW_TWICE,
    UNAVAILABLE,
    INTERNAL,
];
