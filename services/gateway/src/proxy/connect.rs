//! Answers and errors in the JSON form of the Connect protocol.

use std::sync::LazyLock;

use axum::body::Body as AxumBody;
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE},
};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value, json};
use tongxin_platform::grpc::{STATUS_BYTES, bounded};
use tonic::{Code, Status, body::Body};

/// What details of errors look like, so that people can read them.
static DETAILS: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(tonic_types::pb::FILE_DESCRIPTOR_SET).ok());

/// A message.
pub(super) fn answer(json: Vec<u8>) -> Response<Body> {
    let mut answer = Response::new(Body::new(AxumBody::from(json)));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// An error, with the details that it has in gRPC, in as many bytes at most.
pub(super) fn error(status: &Status) -> Response<Body> {
    let mut answer = answer(error_body(status));
    *answer.status_mut() = http_status(status.code());
    answer
}

/// Details stand twice in JSON, encoded and readable, so a status that is small enough in gRPC may be too large here.
fn error_body(status: &Status) -> Vec<u8> {
    let mut most = STATUS_BYTES;
    loop {
        let status = bounded(status.clone(), most);
        let mut error = json!({ "code": name(status.code()), "message": status.message() });
        let details = details(&status);
        if !details.is_empty() {
            error["details"] = details.into();
        }
        let body = error.to_string().into_bytes();
        if body.len() <= STATUS_BYTES || most < STATUS_BYTES / 8 {
            return body;
        }
        most = most / 4 * 3;
    }
}

/// To a request that is no POST.
pub(super) fn post_only() -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    answer
}

/// To a request in a form that we do not know.
pub(super) fn other_form() -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    answer
        .headers_mut()
        .insert("accept-post", HeaderValue::from_static("application/json, application/grpc, application/grpc-web"));
    answer
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
        // An error is never ok.
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
        // No constant: nginx made it up for callers that went away.
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
}
