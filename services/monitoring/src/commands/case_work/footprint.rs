//! The footprint of commands: the records that they need.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;

use crate::domain::{CaseId, HouseholdId, MeasureId, SignalId, case::CaseDraft};

/// The records that commands need.
#[derive(Default)]
pub struct Footprint {
    pub(super) households: BTreeSet<HouseholdId>,
    /// The households of cases that these commands open.
    pub(super) opened: HashMap<CaseId, HouseholdId>,
    pub(super) cases: BTreeSet<CaseId>,
    pub(super) measures: BTreeSet<MeasureId>,
    /// Cases and the days for which their rules are needed.
    pub(super) rules: BTreeSet<(CaseId, NaiveDate)>,
    /// Cases and the days for which the standing of their household is needed.
    pub(super) standings: BTreeSet<(CaseId, NaiveDate)>,
    /// Measures and the days for which the standing of their case's household is needed.
    pub(super) of_measures: BTreeSet<(MeasureId, NaiveDate)>,
    pub(super) signals: BTreeSet<SignalId>,
    /// Households whose signals without a case are needed.
    pub(super) waiting: BTreeSet<HouseholdId>,
}

impl Footprint {
    /// Footprint of opening a case.
    pub fn opening(&mut self, draft: &CaseDraft) {
        self.households.insert(draft.household);
        // If two commands open the same case, the second is refused.
        self.opened.entry(draft.id).or_insert(draft.household);
        self.signals.extend(&draft.signals);
        if draft.signals.is_empty() {
            self.waiting.insert(draft.household);
        }
        self.rules(draft.id, draft.opened_on);
        self.standing(draft.id, draft.opened_on);
    }

    pub fn case(&mut self, case: CaseId) {
        self.cases.insert(case);
    }

    /// A measure and its case.
    pub fn measure(&mut self, measure: MeasureId) {
        self.measures.insert(measure);
    }

    /// A measure, its case, and the standing of its household on a day.
    pub fn standing_of(&mut self, measure: MeasureId, day: NaiveDate) {
        self.measures.insert(measure);
        self.of_measures.insert((measure, day));
    }

    /// A case and its rules on a day.
    pub fn rules(&mut self, case: CaseId, day: NaiveDate) {
        self.cases.insert(case);
        self.rules.insert((case, day));
    }

    /// A case and the standing of its household on a day.
    pub fn standing(&mut self, case: CaseId, day: NaiveDate) {
        self.cases.insert(case);
        self.standings.insert((case, day));
    }
}
