//! Keeps errors small enough for every client.
//!
//! An error travels in headers. If they are larger than the client accepts (8 KiB for some), it ends the whole
//! connection with all calls on it.

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::Frame;
use http_body_util::BodyExt as _;
use tonic::{Status, body::Body};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt as _};

use super::told;

/// Maximum size of `grpc-message` and `grpc-status-details-bin` together, as sent.
pub const STATUS_BYTES: usize = 6 << 10;

/// The encoded size: a text takes one byte for each of ASCII's characters and nine for a Chinese one; details are
/// base64.
const SPACIOUS: [&str; 2] = ["grpc-message", "grpc-status-details-bin"];

/// Maximum length of names in a shortened status, in characters: a field, a reason.
const NAME_CHARACTERS: usize = 120;

/// How a status is shortened, step by step: number of violations, and characters of each and of the text.
const STEPS: [(usize, usize, usize); 8] = [
    (20, 200, 1_000),
    (20, 80, 400),
    (10, 120, 400),
    (10, 60, 200),
    (5, 60, 200),
    (3, 40, 120),
    (1, 40, 120),
    (0, 0, 60),
];

/// The same status within a size: with fewer violations, shorter texts, and the number of violations that are left out.
/// Code, reason and retry time are kept.
#[must_use]
pub fn bounded(status: Status, most: usize) -> Status {
    if sent_bytes(&status) <= most {
        return status;
    }
    let details = status.get_error_details();
    let shorter = STEPS.into_iter().map(|step| shortened(&status, &details, step));
    let mut last = None;
    for status in shorter {
        if sent_bytes(&status) <= most {
            return status;
        }
        last = Some(status);
    }
    last.unwrap_or(status)
}

/// A response whose error, if it is one, is small enough.
pub(super) fn answer(response: Response<Body>) -> Response<Body> {
    too_long(response.headers()).map_or(response, Status::into_http)
}

/// A body whose trailers, if they are an error, are small enough.
pub(super) fn body(body: Body) -> Body {
    Body::new(body.map_frame(end))
}

/// The same for the trailers.
pub(super) fn end(frame: Frame<Bytes>) -> Frame<Bytes> {
    let status = frame.trailers_ref().and_then(too_long);
    status.map_or(frame, |status| told::end(&status))
}

fn too_long(headers: &HeaderMap) -> Option<Status> {
    if bytes_of(headers) <= STATUS_BYTES {
        return None;
    }
    let status = Status::from_header_map(headers).unwrap_or_else(|| Status::unknown(""));
    Some(bounded(status, STATUS_BYTES))
}

fn sent_bytes(status: &Status) -> usize {
    let mut headers = HeaderMap::new();
    // Fails if no header can hold it, in which case it is too long anyway.
    match status.add_header(&mut headers) {
        Ok(()) => bytes_of(&headers),
        Err(_) => usize::MAX,
    }
}

fn bytes_of(headers: &HeaderMap) -> usize {
    SPACIOUS.iter().filter_map(|name| headers.get(*name)).map(http::HeaderValue::len).sum()
}

fn shortened(status: &Status, details: &ErrorDetails, (named, of_each, of_text): (usize, usize, usize)) -> Status {
    let mut short = ErrorDetails::new();
    if let Some(info) = details.error_info() {
        short.set_error_info(cut(&info.reason, NAME_CHARACTERS), cut(&info.domain, NAME_CHARACTERS), []);
    }
    if let Some(retry) = details.retry_info() {
        short.set_retry_info(retry.retry_delay);
    }
    let mut all = 0;
    if let Some(bad) = details.bad_request() {
        all = bad.field_violations.len();
        let violation = |one: &FieldViolation| {
            FieldViolation::new(cut(&one.field, NAME_CHARACTERS), cut(&one.description, of_each))
        };
        short.set_bad_request(bad.field_violations.iter().take(named).map(violation).collect::<Vec<_>>());
    }
    if let Some(unmet) = details.precondition_failure() {
        all = all.max(unmet.violations.len());
        let violation = |one: &PreconditionViolation| {
            PreconditionViolation::new(
                cut(&one.r#type, NAME_CHARACTERS),
                cut(&one.subject, NAME_CHARACTERS),
                cut(&one.description, of_each),
            )
        };
        short.set_precondition_failure(unmet.violations.iter().take(named).map(violation).collect::<Vec<_>>());
    }
    Status::with_error_details(status.code(), text(status.message(), all.saturating_sub(named), of_text), short)
}

/// A text of limited length, which ends with the number of violations that are left out.
fn text(whole: &str, left_out: usize, most: usize) -> String {
    let (told, before) = match whole.rsplit_once("; and ") {
        Some((told, count)) => (told, count.strip_suffix(" more").and_then(|count| count.parse().ok()).unwrap_or(0)),
        None => (whole, 0),
    };
    match left_out + before {
        0 => cut(whole, most),
        more => format!("{}; and {more} more", cut(told, most)),
    }
}

/// The first characters of a text; a mark at the end shows that there were more.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use tonic::Code;

    use super::*;

    fn details(violations: usize, text: &str) -> ErrorDetails {
        let mut details = ErrorDetails::new();
        details.set_error_info("INVALID_FIELDS", "contract.tongxin", []).set_retry_info(Some(Duration::from_secs(9)));
        for number in 0..violations {
            details.add_bad_request_violation(format!("order.items[{number}].name"), text);
        }
        details
    }

    #[test]
    fn what_is_short_stays_as_it_is() {
        let status =
            Status::with_error_details(Code::InvalidArgument, "姓名不能为空; and 7 more", details(3, "姓名不能为空"));
        let kept = bounded(status.clone(), STATUS_BYTES);
        assert_eq!((kept.message(), kept.details()), (status.message(), status.details()));
    }

    #[tokio::test]
    async fn an_error_after_the_beginning_of_an_answer_is_small_too() {
        let long = "村".repeat(9_000);
        let mut trailers = HeaderMap::new();
        Status::with_error_details(Code::Aborted, &long, details(30, &long)).add_header(&mut trailers).unwrap();
        let frames = [Ok::<_, Status>(Frame::data(Bytes::from_static(b"x"))), Ok(Frame::trailers(trailers))];
        let sent = body(Body::new(http_body_util::StreamBody::new(futures::stream::iter(frames))));
        let sent = sent.collect().await.unwrap();
        let end = sent.trailers().unwrap();
        assert!(bytes_of(end) <= STATUS_BYTES, "{}", bytes_of(end));
        assert_eq!(Status::from_header_map(end).unwrap().get_details_error_info().unwrap().reason, "INVALID_FIELDS");
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let long = "不能为空".repeat(50);
        let status =
            Status::with_error_details(Code::InvalidArgument, format!("{long}; and 7 more"), details(20, &long));
        let short = bounded(status, STATUS_BYTES);
        let details = short.get_error_details();
        let named = details.bad_request().unwrap().field_violations.len();
        assert!(named > 0 && named < 20, "{named}");
        assert!(short.message().ends_with(&format!("; and {} more", 7 + 20 - named)), "{}", short.message());
    }

    proptest! {
        #[test]
        fn every_error_is_small_and_keeps_its_reason(
            text in "\\PC{0,3000}", violations in 0..2_000_usize, each in "\\PC{0,200}", most in 1_500..STATUS_BYTES,
        ) {
            let status = Status::with_error_details(Code::InvalidArgument, text, details(violations, &each));
            let short = bounded(status, most);
            prop_assert!(sent_bytes(&short) <= most);
            let details = short.get_error_details();
            prop_assert_eq!(short.code(), Code::InvalidArgument);
            prop_assert_eq!(&details.error_info().unwrap().reason, "INVALID_FIELDS");
            prop_assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_secs(9)));
        }
    }
}
