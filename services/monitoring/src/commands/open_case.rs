//! Opens a case.

use super::desk::{Desk, Doubted, Needs, Verb};
use crate::{
    domain::{
        HouseholdId, SignalId,
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
    type Answer = Doubted<CaseFile>;

    fn needs(&self, needs: &mut Needs) {
        needs.opening(&self.draft);
    }

    fn decide(self, desk: &mut Desk<'_>) -> Result<Doubted<CaseFile>, Error> {
        let Self { mut draft, performed_by } = self;
        desk.check_date("opened_on", draft.opened_on)?;
        let opened_by = desk.performer(performed_by)?;
        draft.check()?;
        let head = desk.head(draft.household)?;
        desk.check_home(draft.household, "opened_on", draft.opened_on)?;
        desk.check_open(&head, draft.opened_on)?;
        if desk.has_case(draft.id) {
            return Err(CaseRefused::Exists(draft.id).into());
        }
        check_signals(desk, draft.household, &draft.signals)?;
        if draft.signals.is_empty() {
            draft.signals = desk.waiting_for_case(draft.household, draft.opened_on);
        }
        let rules = desk.rules_in_force(&head, draft.opened_on)?;
        let standing = desk.standing(draft.household, draft.opened_on);
        let opening = Opening {
            region: head.region,
            rule_set: rules.id(),
            timetable: &rules.timetable,
            category_met: rules.category_met(&draft.category, standing, draft.opened_on)?,
            earlier: &desk.cases_of(draft.household),
        };
        let (signals, day) = (draft.signals.clone(), draft.opened_on);
        let change = draft.open(opening, opened_by)?;
        let warnings = desk.doubts(&change.state, None, day)?;
        desk.give_away(&signals);
        Ok(Doubted { became: desk.keep(change), warnings })
    }
}

/// Checks that signals are the household's, verified, and without a case.
fn check_signals(desk: &Desk<'_>, household: HouseholdId, signals: &[SignalId]) -> Result<(), CaseRefused> {
    for id in signals {
        let signal = desk.waiting(*id).filter(|signal| signal.household == household);
        if !signal.ok_or(CaseRefused::SignalNotFound(*id))?.for_case {
            return Err(CaseRefused::SignalNotVerified(*id));
        }
    }
    Ok(())
}
