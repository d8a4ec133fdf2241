//! States how a measure ended.

use super::desk::{Desk, Needs, Verb};
use crate::{
    domain::{
        MeasureId,
        measure::{Ending, Measure},
    },
    error::Error,
};

/// States that a measure was done, or given up.
pub struct FinishMeasure {
    /// The measure.
    pub measure: MeasureId,
    /// Whether it was given up rather than done.
    pub cancelled: bool,
    /// How it ended.
    pub ending: Ending,
}

impl Verb for FinishMeasure {
    type Answer = Measure;

    fn needs(&self, needs: &mut Needs) {
        needs.measure(self.measure);
    }

    fn decide(self, desk: &mut Desk<'_>) -> Result<Measure, Error> {
        desk.check_date("finished_on", self.ending.on)?;
        let measure = desk.measure(self.measure)?;
        let case = desk.case(measure.case)?;
        let change = measure.finish(&case, self.cancelled, self.ending)?;
        Ok(desk.keep_measure(&case, change))
    }
}
