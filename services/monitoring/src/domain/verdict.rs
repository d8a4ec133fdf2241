//! Verdicts of screening rules, and their replay.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{HouseholdId, RuleSetId, VerdictId, rule_set::RuleSet, rules::Inputs};

/// A stored hit of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub id: VerdictId,
    pub household: HouseholdId,
    pub rule_set: RuleSetId,
    pub rule_number: i32,
    /// Names and values of all fields that the rule uses, as CEL literals.
    pub inputs: BTreeMap<String, String>,
    pub message: String,
    pub screened_on: NaiveDate,
}

impl Verdict {
    /// Evaluates the rule again on the same inputs: the explanation, or `None` without a hit.
    #[must_use]
    pub fn replay(&self, rule_set: &RuleSet) -> Option<String> {
        let rule = rule_set.rule(self.rule_number)?;
        // Inputs that do not fit the rule's fields have no verdict.
        let inputs = Inputs::restore(&self.inputs, rule.fields()).ok()?;
        let hit = rule.condition.eval_bool(&inputs) == Ok(true);
        hit.then(|| rule.message.render(&inputs))
    }
}
