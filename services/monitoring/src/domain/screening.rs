//! Which rule sets apply where, and their hits.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use tongxin_platform::region::RegionCode;

use super::{
    HouseholdId, RuleSetId,
    profile::Profile,
    risk::Risk,
    rule_set::{CompiledRule, RuleSet},
    rules::Inputs,
};

/// A household to be screened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub household: HouseholdId,
    /// Its village.
    pub region: RegionCode,
    pub profile: Profile,
}

/// A rule that hit a household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub household: HouseholdId,
    pub rule_set: RuleSetId,
    pub rule_number: i32,
    pub cause: Risk,
    pub window_ends_on: NaiveDate,
    /// Names and values of all fields that the rule uses, as CEL literals.
    pub inputs: BTreeMap<String, String>,
    pub message: String,
}

impl Hit {
    fn of(candidate: &Candidate, rule_set: &RuleSet, rule: &CompiledRule, inputs: &Inputs) -> Self {
        Self {
            household: candidate.household,
            rule_set: rule_set.id,
            rule_number: rule.number,
            cause: rule.cause,
            window_ends_on: candidate.profile.newest.window_ends_on,
            inputs: inputs.literals(rule.fields()),
            message: rule.message.render(inputs),
        }
    }
}

/// Screening results of some households.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    pub households: i64,
    /// Households with a hit.
    pub flagged: i64,
    /// By rule number.
    pub hits: BTreeMap<i32, i64>,
    /// Evaluations without a value: a number overflowed, or was divided by zero.
    pub faults: i64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.households += other.households;
        self.flagged += other.flagged;
        self.faults += other.faults;
        for (number, hits) in &other.hits {
            *self.hits.entry(*number).or_default() += hits;
        }
    }

    /// Screens a household by a rule set, passes each hit to `take`, and returns whether there was one. Households are
    /// counted by the reader instead, because it skips those that no rule can hit.
    pub fn screen(&mut self, candidate: &Candidate, rule_set: &RuleSet, mut take: impl FnMut(Hit)) -> bool {
        let inputs = rule_set.inputs(&candidate.profile);
        let mut flagged = false;
        for rule in rule_set.rules() {
            match rule.condition.eval_bool(&inputs) {
                Ok(false) => {}
                Ok(true) => {
                    flagged = true;
                    *self.hits.entry(rule.number).or_default() += 1;
                    take(Hit::of(candidate, rule_set, rule, &inputs));
                }
                Err(_) => self.faults += 1,
            }
        }
        self.flagged += i64::from(flagged);
        flagged
    }
}

/// Whether any rule of a set hits a household.
#[must_use]
pub fn flags(rule_set: &RuleSet, profile: &Profile) -> bool {
    let inputs = rule_set.inputs(profile);
    rule_set.rules().iter().any(|rule| rule.condition.eval_bool(&inputs) == Ok(true))
}

/// The rule sets in force on a day, by their region.
#[derive(Debug, Clone, Default)]
pub struct RuleBook(HashMap<RegionCode, RuleSet>);

impl RuleBook {
    /// Of several for one region, the last one to come into force applies; of several from the same day, the last one
    /// stored.
    #[must_use]
    pub fn new(rule_sets: impl IntoIterator<Item = RuleSet>, day: NaiveDate) -> Self {
        let mut by_region: HashMap<RegionCode, RuleSet> = HashMap::new();
        for rule_set in rule_sets.into_iter().filter(|rule_set| rule_set.holds_on(day)) {
            let age = |rule_set: &RuleSet| (rule_set.effective_from, rule_set.record_time);
            let known = by_region.get(&rule_set.region);
            if known.is_none_or(|known| age(known) <= age(&rule_set)) {
                by_region.insert(rule_set.region, rule_set);
            }
        }
        Self(by_region)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rule set that applies in a region: that of the nearest region.
    #[must_use]
    pub fn of(&self, region: RegionCode) -> Option<&RuleSet> {
        region.with_ancestors().filter_map(|region| self.0.get(&region)).last()
    }
}
