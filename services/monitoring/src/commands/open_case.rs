//! Opens a case.

use super::case_work::{CaseWork, Footprint, Verb, WithWarnings};
use crate::{
    domain::{
        case::{CaseDraft, CaseRefused, Opening},
        case_file::CaseFile,
    },
    error::Error,
};

/// Opens a case for a household at risk.
pub struct OpenCase {
    pub draft: CaseDraft,
    /// Who opened it; `None` for the caller.
    pub performed_by: Option<String>,
}

impl Verb for OpenCase {
    type Answer = WithWarnings<CaseFile>;

    fn needs(&self, needs: &mut Footprint) {
        needs.opening(&self.draft);
    }

    fn decide(self, work: &mut CaseWork<'_>) -> Result<WithWarnings<CaseFile>, Error> {
        let Self { mut draft, performed_by } = self;
        work.check_date("opened_on", draft.opened_on)?;
        let opened_by = work.performer(performed_by)?;
        draft.check()?;
        let head = work.head(draft.household)?;
        work.check_home(draft.household, "opened_on", draft.opened_on)?;
        work.check_open(&head, draft.opened_on)?;
        if work.has_case(draft.id) {
            return Err(CaseRefused::Exists(draft.id).into());
        }
        check_signals(work, &draft)?;
        if draft.signals.is_empty() {
            draft.signals = work.waiting_for_case(draft.household, draft.opened_on);
        }
        let rules = work.rules_in_force(&head, draft.opened_on)?;
        let standing = work.standing(draft.household, draft.opened_on);
        let opening = Opening {
            region: head.region,
            rule_set: rules.id(),
            timetable: &rules.timetable,
            category_met: rules.category_met(&draft.category, standing, draft.opened_on)?,
            earlier: &work.cases_of(draft.household),
        };
        let (signals, day) = (draft.signals.clone(), draft.opened_on);
        let change = draft.open(opening, opened_by)?;
        let warnings = work.doubts(&change.state, None, day)?;
        work.give_away(&signals);
        Ok(WithWarnings { became: work.keep(change), warnings })
    }
}

/// Checks that signals are the household's, verified by the day of the case, and without a case.
fn check_signals(work: &CaseWork<'_>, draft: &CaseDraft) -> Result<(), CaseRefused> {
    for id in &draft.signals {
        let signal = work.waiting(*id).filter(|signal| signal.household == draft.household);
        let signal = signal.ok_or(CaseRefused::SignalNotFound(*id))?;
        if !signal.for_case {
            return Err(CaseRefused::SignalNotVerified(*id));
        }
        if signal.decided_on.is_some_and(|decided_on| decided_on > draft.opened_on) {
            return Err(CaseRefused::SignalVerifiedLater(*id));
        }
    }
    Ok(())
}
