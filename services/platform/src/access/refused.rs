//! Why a token is not accepted.

use std::fmt;

use crate::error::common;

/// What is wrong with a token, as the log and metrics name it. Callers learn only that it is not valid, or that they have to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// No token at all.
    Missing,
    /// Several tokens, of which those behind us might look at another one.
    Several,
    /// Something else than a bearer's token.
    Scheme,
    /// Not three parts of a signed token, or too long.
    Malformed,
    /// The header names an extension that has to be understood (RFC 7515, 4.1.11).
    CriticalExtension,
    /// A token of a kind that is not for calling us.
    Type,
    /// Signed by somebody who is not known.
    IssuerUnknown,
    /// Signed with a key that its issuer does not have.
    KeyUnknown,
    /// The issuer's keys cannot be had, so nobody can say.
    KeysUnavailable,
    /// Signed with an algorithm that the key is not for, or none.
    Algorithm,
    /// The signature is wrong.
    Signature,
    /// For somebody else.
    Audience,
    /// A claim that is needed is not there.
    ClaimMissing,
    /// A claim is there, and is not what it has to be.
    ClaimMalformed,
    /// No longer good.
    Expired,
    /// Not good yet.
    NotYetValid,
    /// No region, or something that is no region.
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

/// A token that is not accepted: what is wrong with it, in words for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRefused {
    /// What is wrong.
    pub fault: Fault,
    /// Whose token it claims to be, if that is an issuer of ours.
    pub issuer: Option<String>,
    /// The same in words, with nothing of the token but names of claims, and the name of an issuer that is not known.
    pub detail: String,
}

impl TokenRefused {
    pub(crate) fn new(fault: Fault, detail: impl Into<String>) -> Self {
        Self { fault, issuer: None, detail: detail.into() }
    }

    /// Of an issuer that is configured.
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
