//! Guards that every change of a case passes.

use chrono::{Days, NaiveDate};

use super::{Case, CaseRefused};
use crate::domain::procedure::Step;

/// Whether two identifiers may be the same person. A token's subject is `issuer|name`; an identifier without an issuer
/// may be that name at any issuer.
#[must_use]
pub fn may_be_one(one: &str, other: &str) -> bool {
    match (one.split_once('|'), other.split_once('|')) {
        (Some(_), Some(_)) | (None, None) => one == other,
        (Some((_, name)), None) => name == other,
        (None, Some((_, name))) => name == one,
    }
}

/// Checks that a date is not before another one, if there is one. Facts about a household are counted in the village
/// where it lives now, so their dates must not be before its last move.
pub fn not_before(field: &'static str, date: NaiveDate, earliest: Option<NaiveDate>) -> Result<(), CaseRefused> {
    match earliest {
        Some(earliest) if date < earliest => Err(CaseRefused::DateOrder { field, date, earliest }),
        Some(_) | None => Ok(()),
    }
}

impl Case {
    /// Checks that an event is not before the previous one.
    pub(super) fn in_order(&self, field: &'static str, date: NaiveDate) -> Result<(), CaseRefused> {
        not_before(field, date, self.history.newest().map(|newest| newest.occurred_on))
    }

    /// Four eyes: the home verifier is not the proposer, and the approver is neither proposer nor reviewer.
    pub(super) fn by_another(&self, step: Step, performer: &str) -> Result<(), CaseRefused> {
        let proposer = self.history.proposer();
        let reviewer = self.history.passed(Step::TownReview).map(|entry| entry.performed_by.as_str());
        let others = match step {
            Step::HomeVerification => [proposer, None],
            Step::CountyApproval => [proposer, reviewer],
            Step::Authorisation
            | Step::DataComparison
            | Step::DemocraticReview
            | Step::NoticePosted
            | Step::NoticeEnded
            | Step::TownReview => [None, None],
        };
        if others.into_iter().flatten().any(|other| may_be_one(other, performer)) {
            return Err(CaseRefused::VerifierIsProposer(step));
        }
        Ok(())
    }

    /// Checks that a notice was up for as long as the rules require.
    pub(super) fn notice_was_up(&self, date: NaiveDate, min_days: u32) -> Result<(), CaseRefused> {
        let posted = self.history.passed(Step::NoticePosted).map(|entry| entry.occurred_on);
        let until = posted.and_then(|posted_on| posted_on.checked_add_days(Days::new(min_days.into())));
        match until {
            Some(until) if date >= until => Ok(()),
            _ => Err(CaseRefused::NoticeTooShort { min_days }),
        }
    }
}
