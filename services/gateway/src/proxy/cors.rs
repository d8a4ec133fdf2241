//! CORS: origins whose web pages may call.

use std::time::Duration;

use http::{
    HeaderName, HeaderValue, Method, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde::{Deserialize, Serialize};
use tower_http::cors::CorsLayer;

use super::connect::TIMEOUT;

/// How long browsers may cache the result of a preflight request.
const REMEMBERED: Duration = Duration::from_hours(1);

/// Origin of web pages: scheme, host and port, such as `https://board.example.gov.cn`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// Text that is not an origin.
#[derive(Debug, thiserror::Error)]
#[error(
    "{text:?} is no origin: scheme, host and port are needed and nothing else, as a browser sends them, such as {}",
    exact.as_deref().unwrap_or("https://board.example.gov.cn")
)]
pub struct NotAnOrigin {
    text: String,
    /// The `Origin` header of browsers for such a page, if it can be derived.
    exact: Option<String>,
}

/// The `Origin` header of browsers for an address: in lower case and without the default port.
fn sent(text: &str) -> Option<String> {
    let uri = text.parse::<Uri>().ok()?;
    let (scheme, host) = (uri.scheme_str()?.to_ascii_lowercase(), uri.host()?.to_ascii_lowercase());
    let usual = match scheme.as_str() {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let port = uri.port_u16().filter(|port| *port != usual).map(|port| format!(":{port}")).unwrap_or_default();
    (!host.is_empty()).then(|| format!("{scheme}://{host}{port}"))
}

impl TryFrom<String> for Origin {
    type Error = NotAnOrigin;

    fn try_from(text: String) -> Result<Self, NotAnOrigin> {
        // Browsers send exactly this form.
        let exact = sent(&text);
        if exact.as_ref() == Some(&text) { Ok(Self(text)) } else { Err(NotAnOrigin { text, exact }) }
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

/// Allows pages of these origins to call and to read all responses; `None` without origins, because browsers then block
/// every page.
pub fn allow(origins: &[Origin]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(&origin.0).ok());
    let sent = [AUTHORIZATION, CONTENT_TYPE].into_iter().chain(
        [
            "grpc-timeout",
            TIMEOUT,
            "connect-protocol-version",
            "connect-content-encoding",
            "connect-accept-encoding",
            "content-encoding",
            "x-grpc-web",
            "x-user-agent",
            "traceparent",
            "tracestate",
        ]
        .map(HeaderName::from_static),
    );
    let read = ["grpc-status", "grpc-message", "grpc-status-details-bin", "connect-content-encoding"]
        .map(HeaderName::from_static);
    let layer = CorsLayer::new()
        .allow_origin(origins.collect::<Vec<_>>())
        .allow_methods([Method::POST])
        .allow_headers(sent.collect::<Vec<_>>())
        .expose_headers(read)
        .max_age(REMEMBERED);
    Some(layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (text, is_origin) in [
            ("https://board.example.gov.cn", true),
            ("http://localhost:5173", true),
            ("https://board.example.gov.cn/", false),
            ("https://board.example.gov.cn/page", false),
            ("https://user@board.example.gov.cn", false),
            ("https://Board.example.gov.cn", false),
            ("HTTPS://board.example.gov.cn", false),
            ("https://board.example.gov.cn:443", false),
            ("http://board.example.gov.cn:80", false),
            ("http://board.example.gov.cn:443", true),
            ("https://board.example.gov.cn:", false),
            ("http://[::1]:5173", true),
            ("ftp://board.example.gov.cn", false),
            ("null", false),
            ("board.example.gov.cn", false),
            ("*", false),
            ("", false),
        ] {
            assert_eq!(Origin::try_from(text.to_owned()).is_ok(), is_origin, "{text}");
        }
        let refused = Origin::try_from("https://Board.example:443".to_owned()).unwrap_err().to_string();
        assert!(refused.ends_with("such as https://board.example"), "{refused}");
    }
}
