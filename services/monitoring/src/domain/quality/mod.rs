//! Data-quality rules: what cannot be, or hardly can be, when all that is known of a household is put side by side.
//!
//! Numbers never change their meaning; a rule that is given up leaves its number behind. Rules see no name, no ID
//! number and nobody's health, only how many are ill.

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
