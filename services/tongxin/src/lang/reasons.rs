//! The reasons of refusals in Chinese.

use std::{collections::HashMap, sync::LazyLock};

use serde::Deserialize;

#[derive(Deserialize)]
struct Catalogue {
    reasons: HashMap<String, String>,
}

static REASONS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let text = include_str!("reasons.toml");
    toml::from_str::<Catalogue>(text).map(|catalogue| catalogue.reasons).unwrap_or_default()
});

/// What a reason means and what to do, in Chinese.
pub fn reason(name: &str) -> Option<&'static str> {
    REASONS.get(name).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every reason stands on the page of errors, which a test of its own keeps complete.
    #[test]
    fn every_reason_is_said_in_chinese() {
        let page = include_str!("../../../../proto/ERRORS.md");
        let cells = page.lines().filter_map(|line| line.strip_prefix("| `"));
        let mut on_page: Vec<_> = cells.filter_map(|line| line.split_once('`')).map(|(name, _)| name).collect();
        on_page.sort_unstable();
        on_page.dedup();
        assert!(on_page.len() > 100, "{on_page:?}");
        let mut said: Vec<_> = REASONS.keys().map(String::as_str).collect();
        said.sort_unstable();
        assert_eq!(said, on_page);
    }
}
