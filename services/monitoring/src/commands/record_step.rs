//! Records the outcome of a step.

use super::{
    at_version,
    case_work::{CaseWork, Footprint, Verb, WithWarnings},
};
use crate::{
    domain::{
        CaseId,
        case::{StageName, StepRecord, StepRules},
        case_file::CaseFile,
        procedure::Step,
    },
    error::Error,
};

/// Records that the next step was passed or refused.
pub struct RecordStep {
    pub case: CaseId,
    /// The step; its performer is in `performed_by`.
    pub record: StepRecord,
    /// Who did it; `None` for the caller.
    pub performed_by: Option<String>,
    /// The version that the caller saw; 0 skips the check.
    pub expected_version: i64,
}

impl RecordStep {
    /// Only the last step of a removal needs the household's standing.
    fn may_remove(&self) -> bool {
        self.record.step == Step::CountyApproval && !self.record.refused
    }
}

impl Verb for RecordStep {
    type Answer = WithWarnings<CaseFile>;

    fn needs(&self, needs: &mut Footprint) {
        needs.rules(self.case, self.record.occurred_on);
        needs.standing(self.case, self.record.occurred_on);
    }

    fn decide(self, work: &mut CaseWork<'_>) -> Result<WithWarnings<CaseFile>, Error> {
        let day = self.record.occurred_on;
        work.check_date("occurred_on", day)?;
        let performed_by = work.performer(self.performed_by.clone())?;
        work.may_take(self.record.step)?;
        let case = work.case(self.case)?;
        at_version(case.version, self.expected_version)?;
        work.check_home(case.household, "occurred_on", day)?;

        let is_removal = case.stage.name() == StageName::Removing && self.may_remove();
        let grounds = if is_removal { work.grounds(&case, day) } else { None };
        let rules = work.rules_of(&case, day)?;
        let posted_on = case.history.notice().map_or(day, |notice| notice.posted_on);
        let rules = StepRules {
            timetable: &rules.timetable,
            notice_min_days: work.rules_of(&case, posted_on)?.notice_min_days(),
            grounds: grounds.as_ref(),
        };
        let change = case.step(StepRecord { performed_by, ..self.record }, rules)?;
        let warnings = work.doubts(&change.state, None, day)?;
        Ok(WithWarnings { became: work.keep(change), warnings })
    }
}
