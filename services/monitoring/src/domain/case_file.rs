//! A case with its measures.

use super::{case::Case, measure::Measure};

/// A case with its measures, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFile {
    pub case: Case,
    pub measures: Vec<Measure>,
}
