//! Ends a measure.

use super::desk::{Desk, Doubted, Needs, Verb};
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
    type Answer = Doubted<Measure>;

    fn needs(&self, needs: &mut Needs) {
        needs.standing_of(self.measure, self.ending.on);
    }

    fn decide(self, desk: &mut Desk<'_>) -> Result<Doubted<Measure>, Error> {
        let day = self.ending.on;
        desk.check_date("finished_on", day)?;
        let measure = desk.measure(self.measure)?;
        let case = desk.case(measure.case)?;
        let change = measure.finish(&case, self.cancelled, self.ending)?;
        let warnings = desk.doubts(&case, Some(&change.state), day)?;
        Ok(Doubted { became: desk.keep_measure(&case, change), warnings })
    }
}
