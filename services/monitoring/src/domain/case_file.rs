//! A case with what was done for the household.

use super::{case::Case, measure::Measure};

/// A case with its measures, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFile {
    /// The case.
    pub case: Case,
    /// Its measures.
    pub measures: Vec<Measure>,
}
