//! Makes sure that a method refuses only for reasons that the contract names for it.

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::Frame;
use tonic::{Status, body::Body};
use tonic_types::StatusExt as _;
use tracing::error;

use super::told;
use crate::{
    access::MethodRule,
    error::{COMMON, ErrorKind},
};

/// Checks a response that is an error.
pub(super) fn answer(rule: &MethodRule, response: Response<Body>) -> Response<Body> {
    unnamed(rule, response.headers()).map_or(response, Status::into_http)
}

/// The same for the trailers.
pub(super) fn end(rule: &MethodRule, frame: Frame<Bytes>) -> Frame<Bytes> {
    let status = frame.trailers_ref().and_then(|trailers| unnamed(rule, trailers));
    status.map_or(frame, |status| told::end(&status))
}

/// The error that replaces one without a named reason: INTERNAL in debug builds; release builds only log it.
fn unnamed(rule: &MethodRule, headers: &HeaderMap) -> Option<Status> {
    if headers.get("grpc-status").is_none_or(|code| code == "0") {
        return None;
    }
    let reason = Status::from_header_map(headers)?.get_details_error_info()?.reason;
    if rule.refuses.contains(&reason) || COMMON.iter().any(|common| common.reason == reason) {
        return None;
    }
    error!(reason, "a method refused for a reason that the contract does not name with it");
    let text = format!("the contract does not name the reason {reason} with this method");
    cfg!(debug_assertions).then(|| Status::new(ErrorKind::Internal.code(), text))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tonic::Code;
    use tonic_types::ErrorDetails;

    use super::*;

    fn refusal(reason: &str) -> Status {
        let mut details = ErrorDetails::new();
        details.set_error_info(reason, "test.tongxin", []);
        Status::with_error_details(Code::NotFound, "there is none", details)
    }

    #[test]
    fn a_reason_that_the_method_does_not_name_is_a_fault_of_ours() {
        let rule = MethodRule {
            permission: "wells.well.read".to_owned(),
            also: Vec::new(),
            refuses: HashSet::from(["WELL_NOT_FOUND".to_owned()]),
            client_streaming: false,
            server_streaming: false,
        };
        for (reason, code) in [
            ("WELL_NOT_FOUND", Code::NotFound),
            ("TOKEN_INVALID", Code::NotFound),
            ("REGION_NOT_FOUND", Code::Internal),
        ] {
            let head = answer(&rule, refusal(reason).into_http());
            assert_eq!(Status::from_header_map(head.headers()).unwrap().code(), code, "{reason}");
            let end = end(&rule, told::end(&refusal(reason))).into_trailers().unwrap();
            assert_eq!(Status::from_header_map(&end).unwrap().code(), code, "{reason}");
        }
        let well = answer(&rule, Response::new(Body::empty()));
        assert!(Status::from_header_map(well.headers()).is_none());
    }
}
