//! Media types as callers write them.

use http::HeaderValue;

/// A media type without its parameters, in small letters.
pub(super) fn media_type(value: &HeaderValue) -> String {
    let text = value.to_str().unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
