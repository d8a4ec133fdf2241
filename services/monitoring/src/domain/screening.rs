//! Which rule sets hold where, and what they say of households.

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

/// A household as it is screened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The household.
    pub household: HouseholdId,
    /// Its village.
    pub region: RegionCode,
    /// What rules ask about it.
    pub profile: Profile,
}

/// A rule that hit a household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The household.
    pub household: HouseholdId,
    /// The rule set.
    pub rule_set: RuleSetId,
    /// The rule's number.
    pub rule_number: i32,
    /// What the household is at risk of.
    pub cause: Risk,
    /// Last day of the window that was looked at.
    pub window_ends_on: NaiveDate,
    /// Names and values of all that the rule was asked about, as CEL literals.
    pub inputs: BTreeMap<String, String>,
    /// The explanation.
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

/// What was found of some households.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Households that were screened.
    pub households: i64,
    /// Households that a rule hit.
    pub flagged: i64,
    /// Hits by the rule's number.
    pub hits: BTreeMap<i32, i64>,
    /// Rules that had no value for a household: a number overflowed, or was divided by zero.
    pub faults: i64,
}

impl Tally {
    /// Adds what was found of others.
    pub fn add(&mut self, other: &Self) {
        self.households += other.households;
        self.flagged += other.flagged;
        self.faults += other.faults;
        for (number, hits) in &other.hits {
            *self.hits.entry(*number).or_default() += hits;
        }
    }

    /// Screens a household by a rule set, and gives each hit to `take`. Says whether a rule hit it. How many households there
    /// are is counted by whoever reads them: those that no rule can hit are not asked about.
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

/// The rule sets that hold on one day, by the region that they were stored for.
#[derive(Debug, Clone, Default)]
pub struct RuleBook(HashMap<RegionCode, RuleSet>);

impl RuleBook {
    /// Of several of one region, the one that came into force last holds; of those of one day, the one stored last.
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

    /// Whether none holds anywhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rule set that holds in a region: that of the nearest one.
    #[must_use]
    pub fn of(&self, region: RegionCode) -> Option<&RuleSet> {
        region.with_ancestors().filter_map(|region| self.0.get(&region)).last()
    }
}
