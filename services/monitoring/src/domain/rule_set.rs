//! Dated rules of a region.

use std::collections::BTreeMap;

/// The rules of a region for a time.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    /// Monitoring lines by year, in fen.
    pub lines: BTreeMap<i32, i64>,
}

impl RuleSet {
    /// The monitoring line of a year, in fen: that of the last year that has one.
    #[must_use]
    pub fn line(&self, year: i32) -> Option<i64> {
        self.lines.range(..=year).next_back().map(|(_, fen)| *fen)
    }
}
