//! Data-quality rules: what cannot be, or hardly can be, when all that is known of a household is put side by side.
//!
//! Numbers never change their meaning; a rule that is given up leaves its number behind. Rules see no name, no ID
//! number and nobody's health, only how many are ill.

mod cases;
mod dossier;
mod guarantees;
mod income;
mod insurance;
mod measures;
mod members;
mod schooling_and_work;
#[cfg(test)]
mod tests;

pub use dossier::{CaseFacts, Dossier, MeasureFile, Person};
pub use members::REGISTERED_TWICE;

use tongxin_platform::error::Refusal;

/// What a rule does at entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The entry is taken, with a warning: strange, but it happens.
    Warn,
    /// The entry is refused: no truth can be behind it.
    Refuse,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Number, 1 to 999.
    pub number: i16,
    /// What is wrong when it finds something, in Chinese.
    pub name_zh: &'static str,
    /// The same in English.
    pub name_en: &'static str,
    /// What it does at entry.
    pub severity: Severity,
    /// Whether it finds fault.
    finds: fn(&Dossier) -> bool,
}

impl Rule {
    const fn warn(number: i16, name_zh: &'static str, name_en: &'static str, finds: fn(&Dossier) -> bool) -> Self {
        Self { number, name_zh, name_en, severity: Severity::Warn, finds }
    }

    const fn refuse(number: i16, name_zh: &'static str, name_en: &'static str, finds: fn(&Dossier) -> bool) -> Self {
        Self { number, name_zh, name_en, severity: Severity::Refuse, finds }
    }
}

/// Rules by what they are about, in the order of their numbers.
const GROUPS: [&[Rule]; 7] = [
    members::RULES,
    schooling_and_work::RULES,
    insurance::RULES,
    income::RULES,
    guarantees::RULES,
    cases::RULES,
    measures::RULES,
];

/// All rules, in the order of their numbers.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    GROUPS.into_iter().flatten()
}

/// The rules that find fault with a household, in the order of their numbers.
pub fn check(dossier: &Dossier) -> impl Iterator<Item = &'static Rule> {
    rules().filter(|rule| (rule.finds)(dossier))
}

/// What the rules say of an entry. What is not in the dossier is not held against it.
#[must_use]
pub fn at_entry(dossier: &Dossier) -> Findings {
    Findings::of(&GROUPS, dossier)
}

/// What the rules say of an observation, where it is entered: those about insurances, income and guarantees.
#[must_use]
pub fn of_observation(dossier: &Dossier) -> Findings {
    Findings::of(&[insurance::RULES, income::RULES, guarantees::RULES], dossier)
}

/// What the rules say of a case and its measures, where something of them is entered.
#[must_use]
pub fn of_case(dossier: &Dossier) -> Findings {
    Findings::of(&[cases::RULES, measures::RULES], dossier)
}

/// The numbers of the rules that warn of a household as it becomes. What is wrong with it already does not keep it from
/// being changed: one fault is mended after the other.
///
/// # Errors
/// The first rule that refuses what it becomes, and found no fault before.
pub fn at_change(before: &Dossier, after: &Dossier) -> Result<Vec<i32>, QualityRefused> {
    let Findings { refused, warned } = at_entry(after);
    let (known, refused) = refused.into_iter().partition(|rule| (rule.finds)(before));
    Findings { refused, warned: [known, warned].concat() }.accept()
}

/// What the rules say of an entry.
#[derive(Debug, Default)]
pub struct Findings {
    /// Rules that refuse it.
    pub refused: Vec<&'static Rule>,
    /// Rules that warn of it.
    pub warned: Vec<&'static Rule>,
}

impl Findings {
    fn of(groups: &[&'static [Rule]], dossier: &Dossier) -> Self {
        let found = groups.iter().copied().flatten().filter(|rule| (rule.finds)(dossier));
        let (refused, warned) = found.partition(|rule| rule.severity == Severity::Refuse);
        Self { refused, warned }
    }

    /// The numbers of the rules that warn.
    ///
    /// # Errors
    /// The first rule that refuses.
    pub fn accept(&self) -> Result<Vec<i32>, QualityRefused> {
        match self.refused.first() {
            Some(rule) => Err(QualityRefused(rule)),
            None => Ok(self.warned.iter().map(|rule| rule.number.into()).collect()),
        }
    }
}

/// An entry behind which no truth can be.
#[derive(Debug, Clone, Copy, thiserror::Error, Refusal)]
#[refusal(FailedPrecondition, "DATA_QUALITY")]
#[error("data-quality rule {}: {} ({})", .0.number, .0.name_en, .0.name_zh)]
pub struct QualityRefused(pub &'static Rule);
