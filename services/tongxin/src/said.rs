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
    row_in(lang(), name, message)
}

fn row_in(lang: Lang, name: &str, message: &str) -> String {
    match reason(name).filter(|_| lang == Lang::Zh) {
        Some(meaning) => format!("{meaning}（{name}：{message}）"),
        None => format!("{message} ({name})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_in_chinese_what_it_means_and_keeps_what_the_service_said() {
        let said = |lang, name| row_in(lang, name, "no household 7");
        let meaning = reason("HOUSEHOLD_NOT_FOUND").unwrap();
        assert!(meaning.starts_with("没有找到这一户"), "{meaning}");
        assert_eq!(said(Lang::Zh, "HOUSEHOLD_NOT_FOUND"), format!("{meaning}（HOUSEHOLD_NOT_FOUND：no household 7）"));
        assert_eq!(said(Lang::En, "HOUSEHOLD_NOT_FOUND"), "no household 7 (HOUSEHOLD_NOT_FOUND)");
        assert_eq!(said(Lang::Zh, "UNHEARD_OF"), "no household 7 (UNHEARD_OF)", "of a newer service");
    }
}
