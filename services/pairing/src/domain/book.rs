//! The pairings of some organisations and villages, and how a change in them changes the published counts.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use tongxin_platform::{error::Refusal, region::RegionCode, timeline::Timeline};

use super::{
    OrganisationId,
    coverage::CoverageRules,
    organisation::Side,
    pairing::{Pairing, PairingDraft, PairingKind},
    period::Period,
    tally::Tally,
};

/// All pairings of the organisations and villages that are involved in a change.
#[derive(Debug, Default)]
pub struct Book {
    by_region: HashMap<RegionCode, Vec<Pairing>>,
    /// Number of pairings of a kind between two organisations.
    of_two: HashMap<(OrganisationId, OrganisationId, PairingKind), Tally>,
    /// Number of pairings of an organisation, by kind and region.
    of_one: HashMap<(OrganisationId, PairingKind, RegionCode), Tally>,
    assisted: HashMap<RegionCode, Vec<Period>>,
}

/// What is counted, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    /// Whether a village is covered under a rule.
    Village { region: RegionCode, rule: String },
    /// Whether an organisation is paired within a region.
    Organisation { id: OrganisationId, side: Side, kind: PairingKind, region: RegionCode },
}

/// A count that changes from a day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountChange {
    pub counted: Counted,
    /// First day on which the change counts.
    pub on: NaiveDate,
    /// +1 or -1.
    pub change: i32,
}

/// The two organisations have a pairing of the kind that is in force at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
#[refusal(AlreadyExists, "PAIRING_OVERLAPS", field = "recipient_id")]
#[error(
    "the two organisations have a pairing of this kind in force on days of that period: end it first, or start later"
)]
pub struct Overlaps;

impl Book {
    /// A book of pairings, each once, and of the periods in which villages are assisted. It has all pairings of the
    /// organisations, which are the ones that are counted.
    pub fn new(
        pairings: impl IntoIterator<Item = Pairing>,
        organisations: &HashSet<OrganisationId>,
        assisted: HashMap<RegionCode, Vec<Period>>,
    ) -> Self {
        let mut book = Self { assisted, ..Self::default() };
        for pairing in pairings {
            book.count(&pairing, None, Some(pairing.draft.period), |id| organisations.contains(&id));
            book.by_region.entry(pairing.region).or_default().push(pairing);
        }
        book
    }

    /// Adds a new pairing and returns the changes of counts.
    ///
    /// # Errors
    /// If the two organisations are paired already.
    pub fn establish(&mut self, pairing: Pairing, rules: &CoverageRules) -> Result<Vec<CountChange>, Overlaps> {
        let twins = self.of_two.get(&of_two(&pairing));
        if twins.is_some_and(|twins| twins.overlaps(pairing.draft.period)) {
            return Err(Overlaps);
        }
        let counted = self.count(&pairing, None, Some(pairing.draft.period), |_| true);
        let region = pairing.region;
        let covered = self.cover(region, rules, |pairings| pairings.push(pairing));
        Ok([covered, counted].concat())
    }

    /// Replaces the pairing with the same identifier, and returns the changes of counts.
    pub fn replace(&mut self, pairing: Pairing, rules: &CoverageRules) -> Vec<CountChange> {
        let before = self.period_of(&pairing);
        let counted = self.count(&pairing, before, Some(pairing.draft.period), |_| true);
        let covered = self.cover(pairing.region, rules, |pairings| {
            pairings.retain(|old| old.id != pairing.id);
            pairings.push(pairing);
        });
        [covered, counted].concat()
    }

    /// Removes a pairing as if it had never been, and returns the changes of counts.
    pub fn strike(&mut self, pairing: &Pairing, rules: &CoverageRules) -> Vec<CountChange> {
        let before = self.period_of(pairing);
        let counted = self.count(pairing, before, None, |_| true);
        let covered = self.cover(pairing.region, rules, |pairings| pairings.retain(|old| old.id != pairing.id));
        [covered, counted].concat()
    }

    /// Changes the periods in which a village is assisted, and returns the changes of its coverage.
    pub fn assist(&mut self, region: RegionCode, assisted: Vec<Period>, rules: &CoverageRules) -> Vec<CountChange> {
        let before = self.coverage(region, rules);
        self.assisted.insert(region, assisted);
        differences(&before, &self.coverage(region, rules))
    }

    /// The changes of a village's coverage when rules are replaced.
    #[must_use]
    pub fn change_rules(&self, region: RegionCode, before: &CoverageRules, after: &CoverageRules) -> Vec<CountChange> {
        differences(&self.coverage(region, before), &self.coverage(region, after))
    }

    fn period_of(&self, pairing: &Pairing) -> Option<Period> {
        let mut pairings = self.by_region.get(&pairing.region).into_iter().flatten();
        pairings.find(|old| old.id == pairing.id).map(|old| old.draft.period)
    }

    /// Replaces the period of a pairing in the tallies of those of its organisations that are counted, and returns the
    /// changes.
    fn count(
        &mut self,
        pairing: &Pairing,
        before: Option<Period>,
        now: Option<Period>,
        wanted: impl Fn(OrganisationId) -> bool,
    ) -> Vec<CountChange> {
        let PairingDraft { kind, supporter, recipient, .. } = pairing.draft;
        if wanted(supporter) {
            self.of_two.entry(of_two(pairing)).or_default().change(before, now);
        }
        let mut changes = Vec::new();
        for (side, id) in [(Side::Supporter, supporter), (Side::Recipient, recipient)] {
            for region in pairing.region.with_ancestors().filter(|_| wanted(id)) {
                let counted = Counted::Organisation { id, side, kind, region };
                let days = self.of_one.entry((id, kind, region)).or_default().change(before, now);
                changes.extend(days.into_iter().map(|(on, change)| CountChange {
                    counted: counted.clone(),
                    on,
                    change,
                }));
            }
        }
        changes
    }

    /// Changes the pairings of a region, and returns the changes of its coverage.
    fn cover(
        &mut self,
        region: RegionCode,
        rules: &CoverageRules,
        change: impl FnOnce(&mut Vec<Pairing>),
    ) -> Vec<CountChange> {
        let before = self.coverage(region, rules);
        change(self.by_region.entry(region).or_default());
        differences(&before, &self.coverage(region, rules))
    }

    fn coverage(&self, region: RegionCode, rules: &CoverageRules) -> Vec<(Counted, Timeline)> {
        let Some(assisted) = self.assisted.get(&region) else { return Vec::new() };
        let pairings = self.by_region.get(&region).into_iter().flatten();
        let timeline = |(rule, needs): (&String, &super::coverage::CoverageRule)| {
            (Counted::Village { region, rule: rule.clone() }, needs.timeline(assisted, &pairings))
        };
        rules.0.iter().map(timeline).collect()
    }
}

fn of_two(pairing: &Pairing) -> (OrganisationId, OrganisationId, PairingKind) {
    (pairing.draft.supporter, pairing.draft.recipient, pairing.draft.kind)
}

/// The difference between two counts. A key that is missing in one of them was never counted there.
fn differences(before: &[(Counted, Timeline)], after: &[(Counted, Timeline)]) -> Vec<CountChange> {
    let none = Timeline::default();
    let mut changes = Vec::new();
    let mut add = |counted: &Counted, since: Vec<(NaiveDate, i32)>| {
        changes.extend(since.into_iter().map(|(on, change)| CountChange { counted: counted.clone(), on, change }));
    };
    for (counted, timeline) in after {
        let earlier = before.iter().find(|(other, _)| other == counted).map_or(&none, |(_, timeline)| timeline);
        add(counted, timeline.since(earlier));
    }
    for (counted, timeline) in before {
        if !after.iter().any(|(other, _)| other == counted) {
            add(counted, none.since(timeline));
        }
    }
    changes
}

#[cfg(test)]
mod tests;
