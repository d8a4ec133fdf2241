//! Errors in Connect: JSON, with the same details as in gRPC.

use std::sync::LazyLock;

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, WWW_AUTHENTICATE},
};
use http_body_util::Full;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value, json};
use tongxin_platform::grpc::{STATUS_BYTES, bounded};
use tonic::{Code, Status, body::Body};

use super::envelope::{END, envelope};

/// Descriptors of error details, to render them as JSON.
static DETAILS: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(tonic_types::pb::FILE_DESCRIPTOR_SET).ok());

/// The error response of a unary call.
pub(super) fn answer(status: &Status) -> Response<Body> {
    let mut answer = Response::new(Body::new(Full::from(written(status, STATUS_BYTES))));
    *answer.status_mut() = http_status(status.code());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if status.code() == Code::Unauthenticated {
        // Required by RFC 6750.
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}

/// The end-of-stream message.
pub(super) fn end(error: Option<&Status>) -> Bytes {
    const BEFORE: &str = r#"{"error":"#;
    let said = error.map_or_else(
        || "{}".to_owned(),
        |error| format!("{BEFORE}{}}}", written(error, STATUS_BYTES - BEFORE.len() - 1)),
    );
    envelope(END, said.as_bytes())
}

/// In at most so many bytes. JSON has the details twice, encoded and as JSON, so it may exceed a limit that the status
/// meets in gRPC.
fn written(status: &Status, bytes: usize) -> String {
    let mut most = bytes;
    loop {
        let status = bounded(status.clone(), most);
        let mut error = json!({ "code": name(status.code()), "message": status.message() });
        let details = details(&status);
        if !details.is_empty() {
            error["details"] = details.into();
        }
        let written = error.to_string();
        if written.len() <= bytes || most < bytes / 8 {
            return written;
        }
        most = most / 4 * 3;
    }
}

fn details(status: &Status) -> Vec<Value> {
    let Ok(whole) = tonic_types::Status::decode(status.details()) else { return Vec::new() };
    let detail = |any: prost_types::Any| {
        let name = any.type_url.rsplit('/').next().unwrap_or_default();
        let mut detail = json!({ "type": name, "value": BASE64_STANDARD_NO_PAD.encode(&any.value) });
        if let Some(readable) = readable(name, &any.value) {
            detail["debug"] = readable;
        }
        detail
    };
    whole.details.into_iter().map(detail).collect()
}

fn readable(name: &str, value: &[u8]) -> Option<Value> {
    let form = DETAILS.as_ref()?.get_message_by_name(name)?;
    serde_json::to_value(DynamicMessage::decode(form, value).ok()?).ok()
}

const fn name(code: Code) -> &'static str {
    match code {
        // An error is never `Ok`.
        Code::Ok | Code::Unknown => "unknown",
        Code::Cancelled => "canceled",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

fn http_status(code: Code) -> StatusCode {
    match code {
        // Not a constant: nginx invented this code for callers that disconnected.
        Code::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::*;

    #[test]
    fn details_are_kept_and_can_be_read() {
        let mut all = ErrorDetails::new();
        all.set_error_info("REGION_NOT_FOUND", "gateway.tongxin", []);
        all.add_bad_request_violation("as_of", "is in the future");
        let status = Status::with_error_details(Code::NotFound, "no such region", all);
        let shown = details(&status);
        assert_eq!(shown[0]["type"], "google.rpc.ErrorInfo");
        assert_eq!(shown[0]["debug"]["reason"], "REGION_NOT_FOUND");
        assert_eq!(shown[1]["debug"]["fieldViolations"][0]["field"], "as_of");
    }

    #[test]
    fn an_error_is_small_however_it_is_told() {
        let mut all = ErrorDetails::new();
        all.set_error_info("INVALID_FIELDS", "contract.tongxin", []);
        for number in 0..200 {
            all.add_bad_request_violation(format!("household.members[{number}].name"), "村".repeat(60));
        }
        let status = Status::with_error_details(Code::InvalidArgument, "村".repeat(3_000), all);
        let end = end(Some(&status)).slice(5..);
        assert!(end.len() <= STATUS_BYTES, "{}", end.len());
        let end: Value = serde_json::from_slice(&end).unwrap();
        let whole: Value = serde_json::from_str(&written(&status, STATUS_BYTES)).unwrap();
        for error in [&end["error"], &whole] {
            assert_eq!(error["code"], "invalid_argument");
            assert_eq!(error["details"][0]["debug"]["reason"], "INVALID_FIELDS");
        }
    }

    #[test]
    fn a_stream_that_ended_well_says_so() {
        assert_eq!(end(None).as_ref(), b"\x02\0\0\0\x02{}");
    }
}
