//! What an answer says, in a sentence.

use tonic::Status;
use tonic_types::StatusExt as _;

/// The text of an answer with its reason.
pub fn said(status: &Status) -> String {
    match status.get_details_error_info() {
        Some(info) => format!("{} ({})", status.message(), info.reason),
        None => status.message().to_owned(),
    }
}
