//! Media types of headers.

use http::HeaderValue;

/// In lower case, without parameters.
pub(super) fn media_type(value: &HeaderValue) -> String {
    let text = value.to_str().unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
