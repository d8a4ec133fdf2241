//! Plans a measure against a risk.

use super::case_work::{CaseWork, Footprint, Verb, WithWarnings};
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
    pub case: CaseId,
    pub draft: MeasureDraft,
}

impl Verb for PlanMeasure {
    type Answer = WithWarnings<Measure>;

    fn needs(&self, needs: &mut Footprint) {
        needs.standing(self.case, self.draft.planned_on);
        needs.measure(self.measure);
    }

    fn decide(self, work: &mut CaseWork<'_>) -> Result<WithWarnings<Measure>, Error> {
        let day = self.draft.planned_on;
        work.check_date("measure.planned_on", day)?;
        let case = work.case(self.case)?;
        if work.has_measure(self.measure) {
            return Err(MeasureRefused::Exists(self.measure).into());
        }
        let change = self.draft.plan(self.measure, &case)?;
        let warnings = work.doubts(&case, Some(&change.state), day)?;
        Ok(WithWarnings { became: work.keep_measure(&case, change), warnings })
    }
}
