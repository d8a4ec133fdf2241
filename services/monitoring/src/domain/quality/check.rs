//! All rules, and the rules for each kind of entry.

use super::{
    Dossier, Findings, QualityRefused, Rule, cases, guarantees, income, insurance, measures, members,
    schooling_and_work, spoilt_numbers,
};

/// Rules by subject, in order of number.
const GROUPS: [&[Rule]; 8] = [
    members::RULES,
    schooling_and_work::RULES,
    insurance::RULES,
    income::RULES,
    guarantees::RULES,
    cases::RULES,
    measures::RULES,
    spoilt_numbers::RULES,
];

/// In order of number.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    GROUPS.into_iter().flatten()
}

/// The rules that a household violates, in order of number.
pub fn check(dossier: &Dossier) -> impl Iterator<Item = &'static Rule> {
    rules().filter(|rule| (rule.finds)(dossier))
}

/// Checks an entry. Data missing from the dossier violates no rule.
#[must_use]
pub fn at_entry(dossier: &Dossier) -> Findings {
    Findings::of(&GROUPS, dossier)
}

/// Rules on insurance, income and guarantees, for the entry of an observation.
#[must_use]
pub fn of_observation(dossier: &Dossier) -> Findings {
    Findings::of(&[insurance::RULES, income::RULES, guarantees::RULES], dossier)
}

/// Rules on cases and measures, for an entry about one.
#[must_use]
pub fn of_case(dossier: &Dossier) -> Findings {
    Findings::of(&[cases::RULES, measures::RULES], dossier)
}

/// Numbers of the rules that warn of a household after a change. Existing defects do not prevent a change, so that they
/// can be corrected one by one; a newly violated rule that refuses does.
pub fn at_change(before: &Dossier, after: &Dossier) -> Result<Vec<i32>, QualityRefused> {
    let Findings { refused, warned } = at_entry(after);
    let (known, refused) = refused.into_iter().partition(|rule| (rule.finds)(before));
    Findings { refused, warned: [known, warned].concat() }.accept()
}
