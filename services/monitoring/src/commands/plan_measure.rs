//! Plans a measure against a risk.

use super::desk::{Desk, Doubted, Needs, Verb};
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
    type Answer = Doubted<Measure>;

    fn needs(&self, needs: &mut Needs) {
        needs.standing(self.case, self.draft.planned_on);
        needs.measure(self.measure);
    }

    fn decide(self, desk: &mut Desk<'_>) -> Result<Doubted<Measure>, Error> {
        let day = self.draft.planned_on;
        desk.check_date("measure.planned_on", day)?;
        let case = desk.case(self.case)?;
        if desk.has_measure(self.measure) {
            return Err(MeasureRefused::Exists(self.measure).into());
        }
        let change = self.draft.plan(self.measure, &case)?;
        let warnings = desk.doubts(&case, Some(&change.state), day)?;
        Ok(Doubted { became: desk.keep_measure(&case, change), warnings })
    }
}
