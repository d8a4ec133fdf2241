//! Plans a measure against a risk.

use super::desk::{Desk, Needs, Verb};
use crate::{
    domain::{
        CaseId, MeasureId,
        measure::{Measure, MeasureDraft, MeasureRefused},
    },
    error::Error,
};

/// Plans a measure.
pub struct PlanMeasure {
    /// Identifier of the new measure, chosen by the caller.
    pub measure: MeasureId,
    /// The case.
    pub case: CaseId,
    /// What is stated.
    pub draft: MeasureDraft,
}

impl Verb for PlanMeasure {
    type Answer = Measure;

    fn needs(&self, needs: &mut Needs) {
        needs.case(self.case);
        needs.measure(self.measure);
    }

    fn decide(self, desk: &mut Desk<'_>) -> Result<Measure, Error> {
        desk.check_date("planned_on", self.draft.planned_on)?;
        let case = desk.case(self.case)?;
        if desk.has_measure(self.measure) {
            return Err(MeasureRefused::Exists(self.measure).into());
        }
        let change = self.draft.plan(self.measure, &case)?;
        Ok(desk.keep_measure(&case, change))
    }
}
