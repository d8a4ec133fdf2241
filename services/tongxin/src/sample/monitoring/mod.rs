//! What monitoring kept of the sample's households: who they are, what they earned, who was at risk and how that
//! ended, and what the villages earned. How many there are is said by the manifest and the published figures; chance
//! decides who and when.
//!
//! | file | |
//! |---|---|
//! | `people`       | names, and numbers that belong to nobody |
//! | `households`   | households and their members |
//! | `stories`      | who was at risk, when, of what, and what was done |
//! | `observations` | what each household earned and lacked, in step with its story |
//! | `commands`     | a story as the commands that led through it |
//! | `warnings`     | what departments warned of, and how that was decided |
//! | `incomes`      | what villages earned |

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

/// What monitoring kept.
pub struct Kept {
    /// The households, each with a number.
    pub households: Vec<HouseholdDraft>,
    /// What they earned and lacked, by their numbers.
    pub observations: Vec<ObservationDraft>,
    /// What departments warned of.
    pub submissions: Vec<Submission>,
    /// What was found of the signals that came of it.
    pub decisions: Vec<Decision>,
    /// What was done, in its order.
    pub entries: Vec<Entry>,
    /// What villages earned.
    pub incomes: Vec<Income>,
}

impl Kept {
    /// Makes all of it by the rules of the time; from the same files always the same.
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
