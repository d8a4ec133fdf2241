//! Rolls a removal back.

use chrono::NaiveDate;

use super::{
    at_version,
    desk::{Desk, Needs, Verb},
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

    fn needs(&self, needs: &mut Needs) {
        needs.case(self.case);
    }

    fn decide(self, desk: &mut Desk<'_>) -> Result<CaseFile, Error> {
        desk.check_date("occurred_on", self.occurred_on)?;
        let performed_by = desk.performer(None)?;
        let case = desk.case(self.case)?;
        at_version(case.version, self.expected_version)?;
        desk.check_home(case.household, "occurred_on", self.occurred_on)?;
        let household = case.household;
        let others = desk.cases_of(household);
        let change = case.roll_back_removal(self.occurred_on, performed_by, self.reason, others)?;
        Ok(desk.keep(change))
    }
}
