//! All rules, and those that are asked of each kind of entry.

use super::{
    Dossier, Findings, QualityRefused, Rule, cases, guarantees, income, insurance, measures, members,
    schooling_and_work,
};

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
