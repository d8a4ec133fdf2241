//! Maps errors to gRPC statuses.

use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};
use tracing::error;

use super::{Error, ErrorKind, Refusal as _, ServiceRefusal, Stated, chain};

/// Turns an error into what the caller sees: a code, a text, `google.rpc.ErrorInfo`, and the field in a
/// `PreconditionFailure` or else in a `BadRequest`; with a `RetryInfo` if it is known when to ask again. Internal
/// errors are logged with their whole chain; their text and field are not shown to the caller.
fn to_status<R: ServiceRefusal>(error: &Error<R>) -> Status {
    let Stated { kind, reason, field, retry_after, .. } = error.stated();
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, R::DOMAIN, []);
    if let Some(wait) = retry_after {
        details.set_retry_info(Some(wait));
    }
    let text = match kind {
        ErrorKind::Internal => {
            error!(reason, error = chain(error), "a request failed");
            "an internal error occurred; it has been logged".to_owned()
        }
        ErrorKind::Unavailable => {
            error!(reason, error = chain(error), "a request found something unavailable");
            "not available now; send the same request again later".to_owned()
        }
        _ => error.to_string(),
    };
    match (kind, field) {
        (ErrorKind::Internal | ErrorKind::Unavailable, _) => {}
        (ErrorKind::FailedPrecondition, field) => {
            details.add_precondition_failure_violation(reason, field.unwrap_or_default(), &text);
        }
        (_, Some(field)) => {
            details.add_bad_request_violation(field, &text);
        }
        (_, None) => {}
    }
    Status::with_error_details(kind.code(), text, details)
}

impl<R: ServiceRefusal> From<Error<R>> for Status {
    fn from(error: Error<R>) -> Self {
        to_status(&error)
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::{
        error::{Listed, Refusal},
        request::RequestError,
    };

    #[derive(Debug, thiserror::Error, Refusal)]
    #[refusal(domain = "test.tongxin")]
    enum Refused {
        /// The disk is gone.
        #[error("reading secret.txt failed")]
        #[refusal(Internal, "BROKEN")]
        Broken(#[source] std::io::Error),
        /// Nothing answers.
        #[error("secret.txt is away")]
        #[refusal(Unavailable, "AWAY", field = "starts_on")]
        Away,
        /// The day has not come.
        #[error("the date is in the future")]
        #[refusal(Invalid, "DATE_IN_FUTURE", field = field)]
        Invalid { field: &'static str },
        #[error("the date is in the future")]
        #[refusal(Aborted, "DATE_IN_FUTURE", field = _0)]
        Aborted(String),
        #[error("the date is in the future")]
        #[refusal(FailedPrecondition, "DATE_IN_FUTURE", field = "starts_on")]
        Premature,
        #[error("the date is in the future")]
        #[refusal(FailedPrecondition, "DATE_IN_FUTURE")]
        Fieldless,
    }

    type Error = super::Error<Refused>;

    fn status(refused: Refused) -> Status {
        Error::from(refused).into()
    }

    #[test]
    fn a_fault_of_ours_keeps_its_text_and_its_field_to_itself() {
        for (refused, reason) in
            [(Refused::Broken(std::io::Error::other("no such disk")), "BROKEN"), (Refused::Away, "AWAY")]
        {
            let status = status(refused);
            assert!(!status.message().contains("secret") && !status.message().contains("disk"));
            assert_eq!(status.get_details_error_info().unwrap().reason, reason);
            assert!(status.get_details_bad_request().is_none());
        }
    }

    #[test]
    fn a_wrong_field_is_named_whatever_the_kind() {
        for (refused, code) in [
            (Refused::Invalid { field: "starts_on" }, Code::InvalidArgument),
            (Refused::Aborted("starts_on".to_owned()), Code::Aborted),
        ] {
            let status = status(refused);
            assert_eq!((status.code(), status.message()), (code, "the date is in the future"));
            let info = status.get_details_error_info().unwrap();
            assert_eq!((info.reason.as_str(), info.domain.as_str()), ("DATE_IN_FUTURE", "test.tongxin"));
            let violation = status.get_details_bad_request().unwrap().field_violations.remove(0);
            assert_eq!((violation.field.as_str(), violation.description.as_str()), ("starts_on", status.message()));
        }
    }

    #[test]
    fn a_state_that_forbids_it_is_named() {
        for (refused, subject) in [(Refused::Fieldless, ""), (Refused::Premature, "starts_on")] {
            let status = status(refused);
            assert_eq!(status.code(), Code::FailedPrecondition);
            let violation = status.get_details_precondition_failure().unwrap().violations.remove(0);
            assert_eq!((violation.r#type.as_str(), violation.subject.as_str()), ("DATE_IN_FUTURE", subject));
            assert!(status.get_details_bad_request().is_none());
        }
    }

    #[test]
    fn a_field_is_named_by_its_path_from_the_request() {
        let path = |error: Error| error.stated().field.unwrap().to_owned();
        let wrong = || Error::from(Refused::Invalid { field: "starts_on" });
        assert_eq!(path(wrong().within("order")), "order.starts_on");
        assert_eq!(path(wrong().within("rows[2]").at("elsewhere")), "elsewhere");
        // The identifier of the request stands beside the message.
        assert_eq!(path(Error::from(RequestError::Reused).within("order")), "request_id");
        assert_eq!(path(Error::from(RequestError::Reused).identified_in("options")), "options.request_id");
        assert!(Error::from(Refused::Fieldless).within("order").stated().field.is_none());
    }

    #[test]
    fn all_that_can_be_said_is_listed_with_when() {
        let all = Refused::all();
        assert_eq!(all.len(), 6);
        let first = Listed { reason: "BROKEN", kind: ErrorKind::Internal, when: "The disk is gone." };
        assert_eq!(all[0], first);
    }
}
