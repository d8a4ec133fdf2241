//! Guards that every change of a case passes.

use chrono::{Days, NaiveDate};

use super::{Case, CaseRefused};
use crate::domain::procedure::Step;

/// Whether two identifiers may stand for one person. A token's subject is `issuer|name`; an identifier without an
/// issuer may be that name at any of them.
#[must_use]
pub fn may_be_one(one: &str, other: &str) -> bool {
    match (one.split_once('|'), other.split_once('|')) {
        (Some(_), Some(_)) | (None, None) => one == other,
        (Some((_, name)), None) => name == other,
        (None, Some((_, name))) => name == one,
    }
}

/// Makes sure that a date is not before another one, if there is one. What is stated of a household is counted where it
/// lives now, so it lies on the day of its last move or later.
///
/// # Errors
/// When it is.
pub fn not_before(field: &'static str, date: NaiveDate, earliest: Option<NaiveDate>) -> Result<(), CaseRefused> {
    match earliest {
        Some(earliest) if date < earliest => Err(CaseRefused::DateOrder { field, date, earliest }),
        Some(_) | None => Ok(()),
    }
}

impl Case {
    /// What happens next happens no earlier than what happened last.
    pub(super) fn in_order(&self, field: &'static str, date: NaiveDate) -> Result<(), CaseRefused> {
        not_before(field, date, self.history.newest().map(|newest| newest.occurred_on))
    }

    /// Four eyes: whoever verifies at home did not propose; whoever approves neither proposed nor reviewed.
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

    /// A notice is up for as long as the rules say.
    pub(super) fn notice_was_up(&self, date: NaiveDate, min_days: u32) -> Result<(), CaseRefused> {
        let posted = self.history.passed(Step::NoticePosted).map(|entry| entry.occurred_on);
        let until = posted.and_then(|posted_on| posted_on.checked_add_days(Days::new(min_days.into())));
        match until {
            Some(until) if date >= until => Ok(()),
            _ => Err(CaseRefused::NoticeTooShort { min_days }),
        }
    }
}
