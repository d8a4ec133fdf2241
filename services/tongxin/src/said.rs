//! Responses as sentences.

use tonic::Status;
use tonic_types::StatusExt as _;

use crate::lang::{Lang, lang, reason};

/// The message of a status with its reason.
pub fn said(status: &Status) -> String {
    match status.get_details_error_info() {
        Some(info) => row(&info.reason, status.message()),
        None => status.message().to_owned(),
    }
}

/// A message with its reason; in Chinese, what the reason means comes first.
pub fn row(name: &str, message: &str) -> String {
    match reason(name).filter(|_| lang() == Lang::Zh) {
        Some(meaning) => format!("{meaning}（{name}：{message}）"),
        None => format!("{message} ({name})"),
    }
}
