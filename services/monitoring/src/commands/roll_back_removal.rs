//! Rolls a removal back.

use chrono::NaiveDate;

use super::{
    at_version,
    case_work::{CaseWork, Footprint, Verb},
};
use crate::{
    domain::{CaseId, case_file::CaseFile},
    error::Error,
};

/// Rolls a removal back: the household is under monitoring again.
pub struct RollBackRemoval {
    pub case: CaseId,
    pub reason: String,
    pub occurred_on: NaiveDate,
    /// The version that the caller saw; 0 skips the check.
    pub expected_version: i64,
}

impl Verb for RollBackRemoval {
    type Answer = CaseFile;

    fn needs(&self, needs: &mut Footprint) {
        needs.case(self.case);
    }

    fn decide(self, work: &mut CaseWork<'_>) -> Result<CaseFile, Error> {
        work.check_date("occurred_on", self.occurred_on)?;
        let performed_by = work.performer(None)?;
        let case = work.case(self.case)?;
        at_version(case.version, self.expected_version)?;
        work.check_home(case.household, "occurred_on", self.occurred_on)?;
        let household = case.household;
        let others = work.cases_of(household);
        let change = case.roll_back_removal(self.occurred_on, performed_by, self.reason, others)?;
        Ok(work.keep(change))
    }
}
