//! Monitoring's data of the sample: households, observations, cases, and the income of villages. The manifest and the
//! published figures set the numbers; who and when is random.
//!
//! | file | |
//! |---|---|
//! | `people`       | names, and ID numbers that belong to nobody |
//! | `households`   | households and their members |
//! | `stories`      | who was at risk, when, of what, and the measures |
//! | `observations` | observations that are consistent with the stories |
//! | `commands`     | stories as commands |
//! | `warnings`     | warnings of departments, and the decisions on them |
//! | `incomes`      | income of villages |

mod commands;
mod households;
mod incomes;
mod observations;
mod people;
mod stories;
#[cfg(test)]
mod tests;
mod warnings;

use anyhow::Result;
use tongxin_proto::monitoring::v1::{HouseholdDraft, ObservationDraft};

use super::files::Files;

pub use commands::Entry;
pub use incomes::Income;
pub use warnings::{Decision, Submission};

/// Monitoring's data.
pub struct Kept {
    /// Each with a household number.
    pub households: Vec<HouseholdDraft>,
    /// Of households given by number.
    pub observations: Vec<ObservationDraft>,
    pub submissions: Vec<Submission>,
    /// Decisions on the signals from these warnings.
    pub decisions: Vec<Decision>,
    /// In chronological order.
    pub entries: Vec<Entry>,
    pub incomes: Vec<Income>,
}

impl Kept {
    /// Generates all of it by the rules of the time; always the same for the same files.
    pub fn of(files: &Files) -> Result<Self> {
        let households = households::of(files)?;
        let stories = stories::of(files, &households)?;
        let lines = files.rules.lines.iter().map(|line| (line.year, line.line_fen)).collect();
        let observations = observations::of(files, &households, &stories, &lines)?;
        let (submissions, decisions) = warnings::of(files, &households, &stories);
        Ok(Self {
            observations,
            submissions,
            decisions,
            entries: commands::of(files, &households, &stories),
            incomes: incomes::of(files)?,
            households,
        })
    }
}
