//! Data-quality rules: contradictions and improbabilities in all that is known of a household.
//!
//! Numbers never change their meaning; the number of a removed rule is not reused. Rules see no name, no ID number and
//! nobody's health, only how many are ill.

mod cases;
mod check;
mod dossier;
mod guarantees;
mod income;
mod insurance;
mod measures;
mod members;
mod rule;
mod schooling_and_work;
#[cfg(test)]
mod tests;

pub use check::{at_change, at_entry, check, of_case, of_observation, rules};
pub use dossier::{CaseFacts, Dossier, MeasureFile, Person};
pub use members::REGISTERED_TWICE;
pub use rule::{Findings, QualityRefused, Rule, Severity};
