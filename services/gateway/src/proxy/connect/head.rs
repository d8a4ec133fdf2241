//! Parses the head of a Connect call, and builds the head of the gRPC call.

use std::time::Duration;

use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Version,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, TE},
    request::Parts,
    uri::{PathAndQuery, Uri},
};
use prost_reflect::MethodDescriptor;
use tokio::time::Instant;
use tongxin_platform::grpc::method_unknown;
use tonic::{Status, body::Body};

use super::form::{Codec, Form, Framing};
use crate::proxy::{EdgeRefused, methods};

/// The caller's timeout in milliseconds.
pub(in crate::proxy) const TIMEOUT: &str = "connect-timeout-ms";

const VERSION: &str = "connect-protocol-version";
pub(super) const PACKED: &str = "connect-content-encoding";
pub(super) const TAKES: &str = "connect-accept-encoding";

/// The only supported compression.
pub(super) const GZIP: &str = "gzip";

/// Longer than any deadline of the server.
const LONGEST: Duration = Duration::from_hours(24);

/// Headers with the same meaning in gRPC, for us and for the services.
const PASSED_ON: [&str; 4] = ["authorization", "traceparent", "tracestate", "x-forwarded-for"];

/// A call before its body.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) form: Form,
    pub(super) method: MethodDescriptor,
    /// Whether messages may be compressed, or the only message is.
    pub(super) is_packed: bool,
    /// Whether the caller accepts compressed responses.
    pub(super) takes_packed: bool,
    /// The caller's deadline.
    pub(super) until: Instant,
    timeout: Option<Duration>,
    passed_on: HeaderMap,
}

impl Head {
    pub(super) fn read(parts: &Parts, form: Form) -> Result<Self, Status> {
        let headers = &parts.headers;
        let method = methods::find(parts.uri.path()).ok_or_else(method_unknown)?;
        fits(form, &method)?;
        has_version(headers)?;
        let timeout = timeout(headers)?;
        let (is_packed, takes_packed) = match form.framing {
            Framing::Whole => (is_packed(headers, "content-encoding")?, takes_gzip(headers, ACCEPT_ENCODING.as_str())),
            Framing::Envelopes => {
                if is_packed(headers, CONTENT_ENCODING.as_str())? {
                    let fault = "is of the body as a whole: compress each message instead, and say so in \
                                 connect-content-encoding";
                    return Err(EdgeRefused::HeaderInvalid { name: "content-encoding", fault }.into());
                }
                (is_packed(headers, PACKED)?, takes_gzip(headers, TAKES))
            }
        };
        let until = Instant::now() + timeout.unwrap_or(LONGEST);
        Ok(Self { form, method, is_packed, takes_packed, until, timeout, passed_on: passed_on(headers) })
    }

    /// The same call in gRPC.
    pub(super) fn question(&self, extensions: Extensions, messages: Body) -> Result<Request<Body>, Status> {
        let path = format!("/{}/{}", self.method.parent_service().full_name(), self.method.name());
        let path = PathAndQuery::try_from(path).map_err(|error| EdgeRefused::AnswerMalformed(error.into()))?;
        let mut question = Request::new(messages);
        *question.method_mut() = Method::POST;
        *question.uri_mut() = Uri::from(path);
        *question.version_mut() = Version::HTTP_2;
        *question.extensions_mut() = extensions;
        let headers = question.headers_mut();
        *headers = self.passed_on.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        if let Some(timeout) = self.timeout {
            // At most eight digits, because it is at most a day.
            let timeout = HeaderValue::try_from(format!("{}m", timeout.as_millis()));
            headers.extend(timeout.ok().map(|timeout| (HeaderName::from_static("grpc-timeout"), timeout)));
        }
        Ok(question)
    }
}

/// Checks that the form fits a method.
fn fits(form: Form, method: &MethodDescriptor) -> Result<(), EdgeRefused> {
    const ENVELOPES: &str = "application/connect+json or application/connect+proto";
    let wrong = |fault, instead| Err(EdgeRefused::FormWrong { fault, instead });
    match (form.framing, method.is_client_streaming(), method.is_server_streaming()) {
        (Framing::Envelopes, false, false) => {
            wrong("this method takes one message and answers one", "application/json or application/proto")
        }
        (Framing::Whole, _, true) => wrong("this method answers messages in a stream", ENVELOPES),
        (Framing::Whole, true, false) if form.codec == Codec::Proto => wrong(
            "this method takes messages in a stream",
            "application/connect+proto or application/connect+json, or all of them in an array of application/json",
        ),
        (Framing::Whole, _, false) | (Framing::Envelopes, _, _) => Ok(()),
    }
}

fn has_version(headers: &HeaderMap) -> Result<(), EdgeRefused> {
    match headers.get(VERSION) {
        Some(version) if version != "1" => Err(EdgeRefused::HeaderInvalid {
            name: VERSION,
            fault: "has to be 1, or left out: there is no other version",
        }),
        _ => Ok(()),
    }
}

/// The caller's timeout; the server has its own limit in addition.
fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, EdgeRefused> {
    let Some(value) = headers.get(TIMEOUT) else { return Ok(None) };
    let digits = value.to_str().ok().filter(|text| text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit()));
    let milliseconds = digits.and_then(|digits| digits.parse().ok());
    let milliseconds = milliseconds.ok_or(EdgeRefused::HeaderInvalid {
        name: TIMEOUT,
        fault: "has to be a whole number of milliseconds with ten digits at most",
    })?;
    Ok(Some(LONGEST.min(Duration::from_millis(milliseconds))))
}

/// Whether it is compressed; fails for compressions other than gzip.
fn is_packed(headers: &HeaderMap, name: &'static str) -> Result<bool, EdgeRefused> {
    let mut codings = headers.get_all(name).iter().map(|coding| coding.to_str().unwrap_or("?").trim());
    match (codings.next(), codings.next()) {
        (None | Some(""), None) => Ok(false),
        (Some(coding), None) if coding.eq_ignore_ascii_case("identity") => Ok(false),
        (Some(coding), None) if coding.eq_ignore_ascii_case(GZIP) => Ok(true),
        _ => Err(EdgeRefused::CompressionUnknown(name)),
    }
}

/// Whether the caller accepts gzip, with a weight above 0.
fn takes_gzip(headers: &HeaderMap, name: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| {
        let (coding, weight) = one.split_once(';').unwrap_or((one, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        coding.trim().eq_ignore_ascii_case(GZIP) && weight.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0)
    })
}

/// All values of a name, so that a second token is not hidden from the access check.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let values = |name| headers.get_all(name).iter().map(move |value| (HeaderName::from_static(name), value.clone()));
    let mut passed_on = HeaderMap::new();
    for (name, value) in PASSED_ON.into_iter().flat_map(values) {
        passed_on.append(name, value);
    }
    passed_on
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    const GET: &str = "/tongxin.pairing.v1.PairingService/GetRegion";
    const IMPORT: &str = "/tongxin.pairing.v1.PairingService/ImportRegions";
    const BATCH: &str = "/tongxin.pairing.v1.PairingService/BatchEstablishPairings";
    const SCREEN: &str = "/tongxin.monitoring.v1.RuleService/ScreenHouseholds";

    fn head(path: &str, form: &str, headers: &[(&'static str, &'static str)]) -> Result<Head, Status> {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Head::read(&request.body(()).unwrap().into_parts().0, Form::named(form).unwrap())
    }

    #[test]
    fn each_kind_of_method_has_its_forms() {
        for (path, right) in [
            (GET, [true, true, false, false]),
            (BATCH, [true, false, true, true]),
            (SCREEN, [false, false, true, true]),
            (IMPORT, [false, false, true, true]),
        ] {
            let forms =
                ["application/json", "application/proto", "application/connect+json", "application/connect+proto"];
            for (form, right) in forms.into_iter().zip(right) {
                match head(path, form, &[]) {
                    Ok(_) => assert!(right, "{path} in {form}"),
                    Err(status) => {
                        assert!(!right && status.code() == Code::Unimplemented, "{path} in {form}: {status}");
                        assert!(status.message().contains(": send application/"), "{status}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_version_is_one_or_not_said() {
        assert!(head(GET, "application/json", &[(VERSION, "1")]).is_ok());
        for version in ["", "2", "1.0", "one"] {
            let refused = head(GET, "application/json", &[(VERSION, version)]).unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{version}");
        }
    }

    #[test]
    fn a_time_has_ten_digits_at_most() {
        for (text, milliseconds) in [("0", 0), ("250", 250), ("0000000250", 250), ("9999999999", 86_400_000)] {
            let head = head(GET, "application/proto", &[(TIMEOUT, text)]).unwrap();
            assert_eq!(head.timeout, Some(Duration::from_millis(milliseconds)));
            let question = head.question(Extensions::new(), Body::empty()).unwrap();
            assert_eq!(question.headers()["grpc-timeout"], format!("{milliseconds}m"));
        }
        for text in ["", "-1", "+1", "1.5", "1s", "12345678901", "00000000250"] {
            let refused = head(GET, "application/proto", &[(TIMEOUT, text)]).unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{text}");
        }
    }

    /// Access checks need the token and the proxy headers unchanged.
    #[test]
    fn what_the_door_looks_at_is_passed_on_whole() {
        let sent = [
            ("authorization", "Bearer one"),
            ("authorization", "Bearer two"),
            ("x-forwarded-for", "192.0.2.1"),
            ("cookie", "a=b"),
            ("grpc-timeout", "9H"),
        ];
        let question =
            head(GET, "application/json", &sent).unwrap().question(Extensions::new(), Body::empty()).unwrap();
        let headers = question.headers();
        assert_eq!(headers.get_all("authorization").iter().count(), 2);
        assert_eq!(headers["x-forwarded-for"], "192.0.2.1");
        assert!(!headers.contains_key("cookie") && !headers.contains_key("grpc-timeout"), "{headers:?}");
    }

    #[test]
    fn gzip_is_known_and_nothing_else() {
        for (path, form, name) in
            [(GET, "application/json", "content-encoding"), (IMPORT, "application/connect+json", PACKED)]
        {
            for (coding, is_packed) in [("identity", false), ("", false), ("gzip", true), ("GZip", true)] {
                assert_eq!(head(path, form, &[(name, coding)]).unwrap().is_packed, is_packed, "{coding}");
            }
            for codings in [&["br"][..], &["gzip, br"], &["gzip", "gzip"], &["deflate"]] {
                let headers: Vec<_> = codings.iter().map(|coding| (name, *coding)).collect();
                let refused = head(path, form, &headers).unwrap_err();
                assert_eq!(refused.code(), Code::Unimplemented, "{codings:?}");
                assert!(refused.message().contains("gzip"), "{refused}");
            }
        }
        let whole = head(IMPORT, "application/connect+json", &[("content-encoding", "gzip")]).unwrap_err();
        assert_eq!(whole.code(), Code::InvalidArgument);
    }

    #[test]
    fn answers_are_compressed_for_those_who_say_so() {
        for (accepted, takes) in [
            ("gzip", true),
            ("br, gzip;q=0.5", true),
            ("GZip", true),
            ("gzip;q=0", false),
            ("gzip;q=0.0, br", false),
            ("br", false),
            ("*", false),
            ("", false),
        ] {
            assert_eq!(head(GET, "application/json", &[("accept-encoding", accepted)]).unwrap().takes_packed, takes);
            let stream = head(IMPORT, "application/connect+proto", &[(TAKES, accepted)]).unwrap();
            assert_eq!(stream.takes_packed, takes, "{accepted}");
        }
    }
}
