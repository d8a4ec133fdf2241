//! What commands say that they need.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;

use crate::domain::{CaseId, HouseholdId, MeasureId, SignalId, case::CaseDraft};

/// What commands need.
#[derive(Default)]
pub struct Needs {
    pub(super) households: BTreeSet<HouseholdId>,
    /// The households of cases that are opened by these commands.
    pub(super) opened: HashMap<CaseId, HouseholdId>,
    pub(super) cases: BTreeSet<CaseId>,
    pub(super) measures: BTreeSet<MeasureId>,
    /// Days for which the rules of a case are asked.
    pub(super) rules: BTreeSet<(CaseId, NaiveDate)>,
    /// Days for which it is asked how the household of a case stood.
    pub(super) standings: BTreeSet<(CaseId, NaiveDate)>,
    /// Days for which it is asked how the household of a measure's case stood.
    pub(super) of_measures: BTreeSet<(MeasureId, NaiveDate)>,
    pub(super) signals: BTreeSet<SignalId>,
    /// Households of which all signals are asked that wait for a case.
    pub(super) waiting: BTreeSet<HouseholdId>,
}

impl Needs {
    /// What opening a case needs.
    pub fn opening(&mut self, draft: &CaseDraft) {
        self.households.insert(draft.household);
        // Of two commands that open one case, the second is refused.
        self.opened.entry(draft.id).or_insert(draft.household);
        self.signals.extend(&draft.signals);
        if draft.signals.is_empty() {
            self.waiting.insert(draft.household);
        }
        self.rules(draft.id, draft.opened_on);
        self.standing(draft.id, draft.opened_on);
    }

    /// A case.
    pub fn case(&mut self, case: CaseId) {
        self.cases.insert(case);
    }

    /// A measure, and its case.
    pub fn measure(&mut self, measure: MeasureId) {
        self.measures.insert(measure);
    }

    /// A measure, its case, and how the household stood on a day.
    pub fn standing_of(&mut self, measure: MeasureId, day: NaiveDate) {
        self.measures.insert(measure);
        self.of_measures.insert((measure, day));
    }

    /// A case, and its rules on a day.
    pub fn rules(&mut self, case: CaseId, day: NaiveDate) {
        self.cases.insert(case);
        self.rules.insert((case, day));
    }

    /// A case, and how its household stood on a day.
    pub fn standing(&mut self, case: CaseId, day: NaiveDate) {
        self.cases.insert(case);
        self.standings.insert((case, day));
    }
}
