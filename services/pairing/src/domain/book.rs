//! The pairings around some organisations and villages, and what a change in them means for
//! the counts that are reported.

use std::collections::HashMap;

use chrono::NaiveDate;
use tongxin_platform::{region::RegionCode, timeline::Timeline};

use super::{
    OrganisationId,
    coverage::CoverageRules,
    organisation::Side,
    pairing::{Pairing, PairingKind},
    period::Period,
};

/// All pairings of the organisations and villages that a change concerns.
#[derive(Debug, Default)]
pub struct Book {
    pairings: Vec<Pairing>,
    by_supporter: HashMap<OrganisationId, Vec<usize>>,
    by_recipient: HashMap<OrganisationId, Vec<usize>>,
    by_region: HashMap<RegionCode, Vec<usize>>,
    assisted: HashMap<RegionCode, Vec<Period>>,
}

/// What is counted, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    /// Whether a village is covered under a rule.
    Village {
        /// The village.
        region: RegionCode,
        /// Name of the rule.
        rule: String,
    },
    /// Whether an organisation is paired within a region.
    Organisation {
        /// The organisation.
        id: OrganisationId,
        /// Its side.
        side: Side,
        /// The kind of pairing.
        kind: PairingKind,
        /// The region.
        region: RegionCode,
    },
}

/// A count that changes from a day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountChange {
    /// What is counted.
    pub counted: Counted,
    /// First day on which the change counts.
    pub on: NaiveDate,
    /// +1 or -1.
    pub change: i32,
}

/// The two organisations have a pairing of the kind that is in force at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the two organisations have a pairing of this kind in force on days of that period")]
pub struct Overlaps;

impl Book {
    /// A book of pairings, each once, and of the periods in which villages are assisted.
    pub fn new(pairings: impl IntoIterator<Item = Pairing>, assisted: HashMap<RegionCode, Vec<Period>>) -> Self {
        let mut book = Self { assisted, ..Self::default() };
        for pairing in pairings {
            book.enter(pairing);
        }
        book
    }

    /// Enters a new pairing and says which counts change.
    ///
    /// # Errors
    /// When the two organisations are paired already.
    pub fn establish(&mut self, pairing: Pairing, rules: &CoverageRules) -> Result<Vec<CountChange>, Overlaps> {
        let draft = &pairing.draft;
        let twin = |other: &Pairing| {
            other.draft.recipient == draft.recipient
                && other.draft.kind == draft.kind
                && other.draft.period.overlaps(draft.period)
        };
        if self.of_supporter(draft.supporter).any(twin) {
            return Err(Overlaps);
        }
        let key = pairing.clone();
        let before = self.counts(&key, rules);
        self.enter(pairing);
        Ok(differences(&before, &self.counts(&key, rules)))
    }

    /// Puts a changed pairing in the place of the one with its identifier, and says which counts
    /// change.
    pub fn replace(&mut self, pairing: Pairing, rules: &CoverageRules) -> Vec<CountChange> {
        let before = self.counts(&pairing, rules);
        let key = pairing.clone();
        if let Some(old) = self.pairings.iter_mut().find(|old| old.id == pairing.id) {
            *old = pairing;
        }
        differences(&before, &self.counts(&key, rules))
    }

    /// Changes when a village is assisted, and says how its coverage changes.
    pub fn assist(&mut self, region: RegionCode, assisted: Vec<Period>, rules: &CoverageRules) -> Vec<CountChange> {
        let before = self.coverage(region, rules);
        self.assisted.insert(region, assisted);
        differences(&before, &self.coverage(region, rules))
    }

    /// How the coverage of a village changes when rules take the place of others.
    #[must_use]
    pub fn change_rules(&self, region: RegionCode, before: &CoverageRules, after: &CoverageRules) -> Vec<CountChange> {
        differences(&self.coverage(region, before), &self.coverage(region, after))
    }

    fn enter(&mut self, pairing: Pairing) {
        let index = self.pairings.len();
        self.by_supporter.entry(pairing.draft.supporter).or_default().push(index);
        self.by_recipient.entry(pairing.draft.recipient).or_default().push(index);
        self.by_region.entry(pairing.region).or_default().push(index);
        self.pairings.push(pairing);
    }

    fn of_supporter(&self, id: OrganisationId) -> impl Iterator<Item = &Pairing> + Clone {
        self.at(self.by_supporter.get(&id))
    }

    fn at<'book>(&'book self, indexes: Option<&'book Vec<usize>>) -> impl Iterator<Item = &'book Pairing> + Clone {
        indexes.into_iter().flatten().map(|index| &self.pairings[*index])
    }

    /// Everything that a pairing's being in force can change.
    fn counts(&self, pairing: &Pairing, rules: &CoverageRules) -> Vec<(Counted, Timeline)> {
        let draft = &pairing.draft;
        let mut counts = self.coverage(pairing.region, rules);
        let sides = [
            (Side::Supporter, draft.supporter, self.by_supporter.get(&draft.supporter)),
            (Side::Recipient, draft.recipient, self.by_recipient.get(&draft.recipient)),
        ];
        for (side, id, indexes) in sides {
            for region in pairing.region.with_ancestors() {
                let counted = |other: &&Pairing| other.draft.kind == draft.kind && region.contains(other.region);
                let periods: Vec<Period> = self.at(indexes).filter(counted).map(|other| other.draft.period).collect();
                let days = periods.iter().copied().flat_map(Period::bounds);
                let timeline = Timeline::of(days, |day| periods.iter().any(|period| period.contains(day)));
                counts.push((Counted::Organisation { id, side, kind: draft.kind, region }, timeline));
            }
        }
        counts
    }

    fn coverage(&self, region: RegionCode, rules: &CoverageRules) -> Vec<(Counted, Timeline)> {
        let Some(assisted) = self.assisted.get(&region) else { return Vec::new() };
        let pairings = self.at(self.by_region.get(&region));
        let timeline = |(rule, needs): (&String, &super::coverage::CoverageRule)| {
            (Counted::Village { region, rule: rule.clone() }, needs.timeline(assisted, &pairings))
        };
        rules.0.iter().map(timeline).collect()
    }
}

/// What changed between two counts. Something that only one of them has was never counted in the
/// other.
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
