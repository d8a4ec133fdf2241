//! Data-quality rules: contradictions and improbabilities in all that is known of a household.
//!
//! Numbers never change their meaning; the number of a removed rule is not reused. Rules see no name, no ID number and
//! nobody's health, only how many are ill and whether a number looks spoilt.

mod cases;
mod check;
mod dossier;
mod field;
mod guarantees;
mod income;
mod insurance;
mod measures;
mod members;
mod numbers;
mod rule;
mod schooling_and_work;
mod spoilt_numbers;
#[cfg(test)]
mod tests;

pub use check::{at_change, at_entry, check, of_case, of_observation, rules};
pub use dossier::{CaseFacts, Dossier, MeasureFile, Person};
pub use field::field_of;
pub use members::REGISTERED_TWICE;
pub use numbers::Numbers;
pub use rule::{Findings, QualityRefused, Rule, Severity};
