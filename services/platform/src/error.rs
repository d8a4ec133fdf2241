//! What callers are told when something goes wrong.

use std::{borrow::Cow, error::Error as StdError, time::Duration};

use sqlx::postgres::PgDatabaseError;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use tracing::error;

use crate::limit::Limited;

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Correct the request.
    Invalid,
    /// Name something that exists, or ask for another region.
    NotFound,
    /// Nothing: it is there already.
    AlreadyExists,
    /// Bring about another state first.
    FailedPrecondition,
    /// Read again and decide anew.
    Aborted,
    /// Ask for the permission.
    PermissionDenied,
    /// Bring a valid token.
    Unauthenticated,
    /// Wait and send the same request again.
    Unavailable,
    /// Send less.
    ResourceExhausted,
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
            Self::Unimplemented => Code::Unimplemented,
            Self::Internal => Code::Internal,
        }
    }
}

/// An error that a caller may be told of. Its text is shown unless the kind is
/// `Unavailable` or `Internal`.
pub trait ServiceError: StdError + 'static {
    /// The domain of the reasons, for example `pairing.tongxin`.
    const DOMAIN: &'static str;

    /// What the caller can do.
    fn kind(&self) -> ErrorKind;

    /// The name of the error, which never changes.
    fn reason(&self) -> &'static str;

    /// The request's field that is wrong, if one is: its path from the request.
    fn field(&self) -> Option<&str> {
        None
    }

    /// How long the caller has to wait before it may ask again, where that is known.
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// What the refusal is as good as: one that tells that something exists which the caller may not see counts as a
    /// look-up of its subject.
    fn told(&self) -> Option<Limited> {
        None
    }
}

/// Turns an error into what the caller sees: a code, a text, `google.rpc.ErrorInfo`, and the field
/// in a `PreconditionFailure` or else, if there is one, in a `BadRequest`; with a `RetryInfo` where it is known when to ask again. Errors of ours are
/// logged with their whole chain and told without it or a field.
pub fn to_status<E: ServiceError>(error: &E) -> Status {
    let kind = error.kind();
    let mut details = ErrorDetails::new();
    details.set_error_info(error.reason(), E::DOMAIN, []);
    if let Some(wait) = error.retry_after() {
        details.set_retry_info(Some(wait));
    }
    let text = match kind {
        ErrorKind::Internal => {
            error!(reason = error.reason(), error = chain(error), "a request failed");
            "an internal error occurred; it has been logged".to_owned()
        }
        ErrorKind::Unavailable => {
            error!(reason = error.reason(), error = chain(error), "a request found something unavailable");
            "not available now; send the same request again later".to_owned()
        }
        _ => error.to_string(),
    };
    match (kind, error.field()) {
        (ErrorKind::Internal | ErrorKind::Unavailable, _) => {}
        (ErrorKind::FailedPrecondition, field) => {
            details.add_precondition_failure_violation(error.reason(), field.unwrap_or_default(), &text);
        }
        (_, Some(field)) => {
            details.add_bad_request_violation(field, &text);
        }
        (_, None) => {}
    }
    Status::with_error_details(kind.code(), text, details)
}

/// An error and its causes in one line, with the SQLSTATE of what Postgres said.
#[must_use]
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut sql_state = sql_state(error);
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Transparent wrappers repeat the text of what they wrap.
        if !text.ends_with(&cause_text) {
            text += ": ";
            text += &cause_text;
        }
        sql_state = sql_state.or_else(|| self::sql_state(cause));
        source = cause.source();
    }
    match sql_state {
        Some(code) => format!("{text} [SQLSTATE {code}]"),
        None => text,
    }
}

fn sql_state(error: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<PgDatabaseError>() {
        return Some(error.code().to_owned());
    }
    let error = error.downcast_ref::<sqlx::Error>()?.as_database_error()?;
    error.code().map(Cow::into_owned)
}

/// Whether the database was out of reach rather than wrong, so that a retry may help.
#[must_use]
pub fn database_kind(error: &sqlx::Error) -> ErrorKind {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::BeginFailed => {
            ErrorKind::Unavailable
        }
        // Classes 08 (connection), 40 (rolled back), 53 (resources), 55 (lock), 57 (intervention).
        sqlx::Error::Database(error) => match error.code().as_deref().and_then(|code| code.get(..2)) {
            Some("08" | "40" | "53" | "55" | "57") => ErrorKind::Unavailable,
            _ => ErrorKind::Internal,
        },
        _ => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("reading secret.txt failed")]
    struct Broken(#[source] std::io::Error);

    impl ServiceError for Broken {
        const DOMAIN: &'static str = "test.tongxin";
        fn kind(&self) -> ErrorKind {
            ErrorKind::Internal
        }
        fn reason(&self) -> &'static str {
            "BROKEN"
        }
    }

    #[test]
    fn an_internal_error_keeps_its_text_to_itself() {
        let status = to_status(&Broken(std::io::Error::other("no such disk")));
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("secret") && !status.message().contains("disk"));
        assert_eq!(status.get_details_error_info().unwrap().reason, "BROKEN");
    }

    #[derive(Debug, thiserror::Error)]
    #[error("the date is in the future")]
    struct Wrong(ErrorKind, Option<&'static str>);

    impl ServiceError for Wrong {
        const DOMAIN: &'static str = "test.tongxin";
        fn kind(&self) -> ErrorKind {
            self.0
        }
        fn reason(&self) -> &'static str {
            "DATE_IN_FUTURE"
        }
        fn field(&self) -> Option<&str> {
            self.1
        }
    }

    #[test]
    fn a_wrong_field_is_named_whatever_the_kind() {
        use ErrorKind::{Aborted, AlreadyExists, Invalid, NotFound, PermissionDenied, ResourceExhausted};
        for kind in [Invalid, NotFound, AlreadyExists, Aborted, PermissionDenied, ResourceExhausted] {
            let status = to_status(&Wrong(kind, Some("starts_on")));
            assert_eq!((status.code(), status.message()), (kind.code(), "the date is in the future"));
            let info = status.get_details_error_info().unwrap();
            assert_eq!((info.reason.as_str(), info.domain.as_str()), ("DATE_IN_FUTURE", "test.tongxin"));
            let violation = status.get_details_bad_request().unwrap().field_violations.remove(0);
            assert_eq!((violation.field.as_str(), violation.description.as_str()), ("starts_on", status.message()));
            assert!(to_status(&Wrong(kind, None)).get_details_bad_request().is_none());
        }
    }

    #[test]
    fn a_fault_of_ours_names_no_field() {
        for kind in [ErrorKind::Internal, ErrorKind::Unavailable] {
            let status = to_status(&Wrong(kind, Some("starts_on")));
            assert!(status.get_details_bad_request().is_none());
        }
    }

    #[test]
    fn a_state_that_forbids_it_is_named() {
        for (field, subject) in [(None, ""), (Some("starts_on"), "starts_on")] {
            let status = to_status(&Wrong(ErrorKind::FailedPrecondition, field));
            assert_eq!(status.code(), Code::FailedPrecondition);
            let violation = status.get_details_precondition_failure().unwrap().violations.remove(0);
            assert_eq!((violation.r#type.as_str(), violation.subject.as_str()), ("DATE_IN_FUTURE", subject));
            assert!(status.get_details_bad_request().is_none());
        }
    }

    #[test]
    fn a_chain_tells_every_cause_once() {
        assert_eq!(chain(&Broken(std::io::Error::other("no such disk"))), "reading secret.txt failed: no such disk");
    }
}
