//! What the caller can do about an error.

use tonic::Code;

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// Correct the request.
    Invalid,
    /// Name something that exists, or ask for another region.
    NotFound,
    /// Nothing: it is there already.
    AlreadyExists,
    /// Bring about another state first.
    FailedPrecondition,
    /// Read it again and decide again.
    Aborted,
    /// Ask for the permission.
    PermissionDenied,
    /// Bring a valid token.
    Unauthenticated,
    /// Wait and send the same request again.
    Unavailable,
    /// Send less.
    ResourceExhausted,
    /// Send the same request again, in time.
    Late,
    /// Ask in another way: this one is not known here.
    Unimplemented,
    /// Report it: the fault is ours.
    Internal,
}

impl ErrorKind {
    /// Its gRPC code.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Invalid => Code::InvalidArgument,
            Self::NotFound => Code::NotFound,
            Self::AlreadyExists => Code::AlreadyExists,
            Self::FailedPrecondition => Code::FailedPrecondition,
            Self::Aborted => Code::Aborted,
            Self::PermissionDenied => Code::PermissionDenied,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Unavailable => Code::Unavailable,
            Self::ResourceExhausted => Code::ResourceExhausted,
            Self::Late => Code::DeadlineExceeded,
            Self::Unimplemented => Code::Unimplemented,
            Self::Internal => Code::Internal,
        }
    }

    /// What the caller had better do.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Invalid => "Correct the request.",
            Self::NotFound => "Name something that exists within the region of the token.",
            Self::AlreadyExists => "Use what exists, or name another.",
            Self::FailedPrecondition => "Bring about the state that it needs first.",
            Self::Aborted => "Read it again, and decide anew.",
            Self::PermissionDenied => "Ask your operator for the permission.",
            Self::Unauthenticated => "Bring a valid token.",
            Self::Unavailable => "Wait, and send the same request again.",
            Self::ResourceExhausted => "Send less, or later.",
            Self::Late => "Send the same request again, and take less time.",
            Self::Unimplemented => "Ask in another way.",
            Self::Internal => "Report it: the fault is ours.",
        }
    }
}
