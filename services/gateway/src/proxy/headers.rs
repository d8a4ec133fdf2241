//! Security headers of responses to browsers: https only, no caching, no scripts, no framing.

use std::time::Duration;

use http::{
    HeaderValue, Response,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use tower_http::set_header::{MakeHeaderValue, SetResponseHeaderLayer};

/// Sets a header of responses to browsers.
type Set = SetResponseHeaderLayer<ForBrowsers>;

/// A value for responses to browsers; gRPC clients ignore it.
#[derive(Debug, Clone)]
pub struct ForBrowsers(Option<HeaderValue>);

impl<B> MakeHeaderValue<Response<B>> for ForBrowsers {
    fn make_header_value(&mut self, answer: &Response<B>) -> Option<HeaderValue> {
        let content_type = answer.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        let is_grpc =
            content_type.starts_with(b"application/grpc") && !content_type.starts_with(b"application/grpc-web");
        if is_grpc { None } else { self.0.clone() }
    }
}

/// Sets all of them; `https_only` is the duration of `Strict-Transport-Security`.
pub fn for_browsers(https_only: Option<Duration>) -> (Set, Set, Set, Set, Set) {
    let https_only = https_only.map(|time| format!("max-age={}", time.as_secs()));
    let https_only = https_only.and_then(|value| HeaderValue::from_str(&value).ok());
    let always = |value| ForBrowsers(Some(HeaderValue::from_static(value)));
    (
        Set::if_not_present(STRICT_TRANSPORT_SECURITY, ForBrowsers(https_only)),
        Set::if_not_present(X_CONTENT_TYPE_OPTIONS, always("nosniff")),
        Set::if_not_present(CACHE_CONTROL, always("no-store")),
        Set::if_not_present(CONTENT_SECURITY_POLICY, always("default-src 'none'; frame-ancestors 'none'")),
        Set::if_not_present(REFERRER_POLICY, always("no-referrer")),
    )
}
