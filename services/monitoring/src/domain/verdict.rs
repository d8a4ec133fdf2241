//! Verdicts of screening rules, and how they are given once more.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{HouseholdId, RuleSetId, VerdictId, rule_set::RuleSet, rules::Inputs};

/// A rule hit a household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Identifier.
    pub id: VerdictId,
    /// The household.
    pub household: HouseholdId,
    /// The rule set.
    pub rule_set: RuleSetId,
    /// The rule's number.
    pub rule_number: i32,
    /// Names and values of all that the rule was asked about, as CEL literals.
    pub inputs: BTreeMap<String, String>,
    /// The explanation.
    pub message: String,
    /// Business date of the screening.
    pub screened_on: NaiveDate,
}

impl Verdict {
    /// What the same rule says of the same inputs now: the explanation, or nothing when it does not hit.
    #[must_use]
    pub fn replay(&self, rule_set: &RuleSet) -> Option<String> {
        let rule = rule_set.rule(self.rule_number)?;
        // Inputs that are not what was once asked about have no verdict.
        let inputs = Inputs::restore(&self.inputs, rule.fields()).ok()?;
        let hit = rule.condition.eval_bool(&inputs) == Ok(true);
        hit.then(|| rule.message.render(&inputs))
    }
}
