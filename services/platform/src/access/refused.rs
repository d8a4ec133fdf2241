//! Why a token is rejected.

use std::fmt;

use crate::error::common;

/// What is wrong with a token, as logs and metrics name it. Callers learn only that it is invalid, or that they have to
/// wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// No token.
    Missing,
    /// Several tokens: services behind us might check another one.
    Several,
    /// The header is no bearer token.
    Scheme,
    /// Not three parts of a signed token, or too long.
    Malformed,
    /// The header names a critical extension (RFC 7515, 4.1.11).
    CriticalExtension,
    /// A token that is not meant for calling APIs.
    Type,
    /// Signed by an unknown issuer.
    IssuerUnknown,
    /// Signed with a key that its issuer does not have.
    KeyUnknown,
    /// The issuer's keys are unavailable, so the token cannot be checked.
    KeysUnavailable,
    /// Signed with an algorithm that the key is not for, or none.
    Algorithm,
    /// The signature is wrong.
    Signature,
    /// Meant for another audience.
    Audience,
    /// A required claim is missing.
    ClaimMissing,
    /// A claim has the wrong form.
    ClaimMalformed,
    /// The token has expired.
    Expired,
    /// The token is not valid yet.
    NotYetValid,
    /// No region, or an invalid one.
    Region,
}

impl Fault {
    /// The reason code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::Several => "TOKENS_SEVERAL",
            Self::Scheme => "SCHEME_NOT_BEARER",
            Self::Malformed => "TOKEN_MALFORMED",
            Self::CriticalExtension => "TOKEN_CRITICAL_EXTENSION",
            Self::Type => "TOKEN_TYPE",
            Self::IssuerUnknown => "ISSUER_UNKNOWN",
            Self::KeyUnknown => "KEY_UNKNOWN",
            Self::KeysUnavailable => common::KEYS_UNAVAILABLE.reason,
            Self::Algorithm => "ALGORITHM_NOT_ALLOWED",
            Self::Signature => "SIGNATURE_WRONG",
            Self::Audience => "AUDIENCE_WRONG",
            Self::ClaimMissing => "CLAIM_MISSING",
            Self::ClaimMalformed => "CLAIM_MALFORMED",
            Self::Expired => "TOKEN_EXPIRED",
            Self::NotYetValid => "TOKEN_NOT_YET_VALID",
            Self::Region => "REGION_NONE",
        }
    }
}

/// A rejected token: what is wrong with it, in words for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRefused {
    /// What is wrong.
    pub fault: Fault,
    /// The issuer that it claims, if that is configured.
    pub issuer: Option<String>,
    /// In words; they contain nothing of the token but names of claims, and the name of an unknown issuer.
    pub detail: String,
}

impl TokenRefused {
    pub(crate) fn new(fault: Fault, detail: impl Into<String>) -> Self {
        Self { fault, issuer: None, detail: detail.into() }
    }

    /// The same, of a configured issuer.
    #[must_use]
    pub(super) fn of(self, issuer: &str) -> Self {
        Self { issuer: Some(issuer.to_owned()), ..self }
    }
}

impl std::error::Error for TokenRefused {}

impl fmt::Display for TokenRefused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.detail)?;
        match &self.issuer {
            Some(issuer) => write!(formatter, " (issuer {issuer})"),
            None => Ok(()),
        }
    }
}
