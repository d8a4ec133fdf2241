//! Ends a measure.

use super::case_work::{CaseWork, Footprint, Verb, WithWarnings};
use crate::{
    domain::{
        MeasureId,
        measure::{Ending, Measure},
    },
    error::Error,
};

/// Records that a measure was done or cancelled.
pub struct FinishMeasure {
    pub measure: MeasureId,
    /// Whether it was cancelled rather than done.
    pub cancelled: bool,
    pub ending: Ending,
}

impl Verb for FinishMeasure {
    type Answer = WithWarnings<Measure>;

    fn needs(&self, needs: &mut Footprint) {
        needs.standing_of(self.measure, self.ending.on);
    }

    fn decide(self, work: &mut CaseWork<'_>) -> Result<WithWarnings<Measure>, Error> {
        let day = self.ending.on;
        work.check_date("finished_on", day)?;
        let measure = work.measure(self.measure)?;
        let case = work.case(measure.case)?;
        let change = measure.finish(&case, self.cancelled, self.ending)?;
        let warnings = work.doubts(&case, Some(&change.state), day)?;
        Ok(WithWarnings { became: work.keep_measure(&case, change), warnings })
    }
}
