//! Proposes the removal of a household from monitoring.

use chrono::NaiveDate;

use super::{
    at_version,
    case_work::{CaseWork, Footprint, Verb},
};
use crate::{
    domain::{
        CaseId,
        case::{Removal, RemovalKind},
        case_file::CaseFile,
    },
    error::Error,
};

/// Proposes the removal of a household.
pub struct ProposeRemoval {
    pub case: CaseId,
    pub kind: RemovalKind,
    pub proposed_on: NaiveDate,
    /// Who proposes; `None` for the caller.
    pub performed_by: Option<String>,
    /// The version that the caller saw; 0 skips the check.
    pub expected_version: i64,
}

impl Verb for ProposeRemoval {
    type Answer = CaseFile;

    fn needs(&self, needs: &mut Footprint) {
        needs.rules(self.case, self.proposed_on);
        needs.standing(self.case, self.proposed_on);
    }

    fn decide(self, work: &mut CaseWork<'_>) -> Result<CaseFile, Error> {
        work.check_date("proposed_on", self.proposed_on)?;
        let proposed_by = work.performer(self.performed_by)?;
        let case = work.case(self.case)?;
        at_version(case.version, self.expected_version)?;
        work.check_home(case.household, "proposed_on", self.proposed_on)?;
        let removal = Removal { kind: self.kind, proposed_by };
        let grounds = work.grounds(&case, self.proposed_on);
        let timetable = &work.rules_of(&case, self.proposed_on)?.timetable;
        let change = case.propose_removal(removal, self.proposed_on, timetable, grounds.as_ref())?;
        Ok(work.keep(change))
    }
}
