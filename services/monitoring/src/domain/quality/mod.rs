//! Data-quality rules.

use chrono::NaiveDate;

use super::{
    household::{Household, Refused},
    profile::Profile,
};

/// All that rules ask of a household, on a day.
#[derive(Debug, Clone)]
pub struct Dossier;

impl Dossier {
    /// A household by itself, as it is entered.
    #[must_use]
    pub fn of_household(_: &Household, _: NaiveDate) -> Self {
        Self
    }

    /// A household by its numbers, as an observation of it is entered, with the line of the observation's year in
    /// fen. Whoever knows its members and its case adds them.
    #[must_use]
    pub fn of_profile(_: &Profile, _: Option<i64>, _: NaiveDate) -> Self {
        Self
    }
}

/// What the rules say of an entry.
#[derive(Debug, Default)]
pub struct Findings;

impl Findings {
    /// The numbers of the rules that warn.
    ///
    /// # Errors
    /// The first rule that refuses.
    pub fn accept(&self) -> Result<Vec<i32>, Refused> {
        Ok(Vec::new())
    }
}

/// What the rules say of an entry. What is not in the dossier is not held against it.
#[must_use]
pub fn at_entry(_: &Dossier) -> Findings {
    Findings
}
