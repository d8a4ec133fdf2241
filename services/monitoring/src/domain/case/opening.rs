//! Opening of a case.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use tongxin_platform::{change::Change, region::RegionCode};

use super::{Case, CaseEvent, CaseRefused, Emergency, Entry, Fact, History, Stage, StageName, Timetable, not_before};
use crate::domain::{CaseId, HouseholdId, RuleSetId, SignalId, procedure::Step, risk::Risk};

/// The facts of a case when it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseDraft {
    /// Chosen by the caller.
    pub id: CaseId,
    pub household: HouseholdId,
    /// Code of the category.
    pub category: String,
    /// 1 to 5.
    pub risks: Vec<Risk>,
    /// Describes the risk `Other`.
    pub risk_remark: String,
    pub emergency: Option<Emergency>,
    pub opened_on: NaiveDate,
    /// The signals that it is opened for.
    pub signals: Vec<SignalId>,
}

/// What is known when a case is opened.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// The household's village.
    pub region: RegionCode,
    /// The rule set in force.
    pub rule_set: RuleSetId,
    pub timetable: &'a Timetable,
    /// Whether the category's condition is met; `None` without an observation to evaluate it on.
    pub category_met: Option<bool>,
    pub earlier: &'a [&'a Case],
}

impl CaseDraft {
    /// Checks everything that needs nothing but the draft.
    pub fn check(&self) -> Result<(), CaseRefused> {
        let mut seen = BTreeSet::new();
        if let Some(twice) = self.risks.iter().find(|risk| !seen.insert(**risk)) {
            return Err(CaseRefused::RiskTwice(*twice));
        }
        if seen.contains(&Risk::Other) && self.risk_remark.trim().is_empty() {
            return Err(CaseRefused::RemarkRequired);
        }
        Ok(())
    }

    pub fn open(self, opening: Opening<'_>, opened_by: String) -> Result<Change<Case, CaseEvent>, CaseRefused> {
        self.check()?;
        if opening.earlier.iter().any(|case| !case.stage.is_closed()) {
            return Err(CaseRefused::HouseholdHasCase);
        }
        self.after(opening.earlier)?;
        // The window of the newest observation ended before the disaster.
        match (self.emergency, opening.category_met) {
            (Some(_), _) | (None, Some(true)) => {}
            (None, Some(false)) => return Err(CaseRefused::CategoryNotMet(self.category)),
            (None, None) => return Err(CaseRefused::ObservationMissing),
        }
        let next = opening.timetable.due(Step::FIRST, self.opened_on, self.emergency.is_some());
        let entry = Entry {
            fact: Fact::Opened,
            occurred_on: self.opened_on,
            due_on: None,
            performed_by: opened_by,
            reason: String::new(),
        };
        let case = Case {
            id: self.id,
            household: self.household,
            region: opening.region,
            rule_set: opening.rule_set,
            category: self.category,
            risks: self.risks,
            risk_remark: self.risk_remark,
            emergency: self.emergency,
            relapse_of: last_removed(opening.earlier),
            signals: self.signals,
            stage: Stage::Identifying { next },
            history: History::of(vec![entry]),
            version: 1,
        };
        let counted = case.counts().into_iter().map(CaseEvent::Counted);
        let events = std::iter::once(CaseEvent::Opened).chain(counted).collect();
        Ok(Change { state: case, events })
    }

    /// Checks that the case does not begin before earlier ones ended.
    fn after(&self, earlier: &[&Case]) -> Result<(), CaseRefused> {
        let ended = earlier.iter().filter_map(|case| case.history.newest()).map(|entry| entry.occurred_on);
        not_before("opened_on", self.opened_on, ended.max())
    }
}

/// The case from whose removal the household relapsed.
fn last_removed(earlier: &[&Case]) -> Option<CaseId> {
    let removed = earlier.iter().filter(|case| case.stage.name() == StageName::Removed);
    let removed_on = |case: &&&Case| case.history.newest().map(|entry| (entry.occurred_on, case.id));
    removed.max_by_key(removed_on).map(|case| case.id)
}
