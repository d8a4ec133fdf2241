//! What a rule set says of cases.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{Datelike as _, NaiveDate};

use super::{CaseRefused, Deadline, Grounds, Income, Observed, Timetable};
use crate::domain::{
    RuleSetId,
    calendar::Calendar,
    observation::is_current,
    profile::{Circumstances, Profile},
    risk::Risk,
    rule_set::RuleSet,
};

/// How a household stands on a day, by what was known by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What it is, whatever was observed of it.
    pub known: Circumstances,
    /// Its members, and the newest observation whose window had ended; `None` without one.
    pub profile: Option<Profile>,
    /// The last day of each window, whenever it ends, and the per-capita net income in it, in fen.
    pub incomes: Vec<(NaiveDate, i64)>,
}

/// A rule set in a calendar.
#[derive(Debug, Clone)]
pub struct CaseRules {
    /// When steps are due.
    pub timetable: Timetable,
    rules: RuleSet,
}

impl CaseRules {
    /// A rule set in a calendar.
    #[must_use]
    pub fn new(rules: RuleSet, calendar: Arc<Calendar>) -> Self {
        let deadline = |step| {
            let (days, kind, emergency_days) = rules.deadline(step);
            Deadline { days, kind, emergency_days }
        };
        Self { timetable: Timetable::new(deadline, calendar), rules }
    }

    /// The rule set.
    #[must_use]
    pub fn id(&self) -> RuleSetId {
        self.rules.id
    }

    /// Days that a notice is up at the least.
    #[must_use]
    pub fn notice_min_days(&self) -> u32 {
        self.rules.notice_min_days
    }

    /// The name of a category.
    ///
    /// # Errors
    /// When there is none with that code.
    pub fn category_name(&self, code: &str) -> Result<&str, CaseRefused> {
        let category = self.rules.categories.iter().find(|category| category.code == code);
        category.map(|category| category.name.as_str()).ok_or_else(|| CaseRefused::CategoryUnknown(code.to_owned()))
    }

    /// Whether a household can be of a category on a day; `None` if nothing was observed but what is history by then. A
    /// condition that cannot be worked out does not hold.
    ///
    /// # Errors
    /// When there is no such category.
    pub fn category_met(
        &self,
        code: &str,
        standing: Option<&Standing>,
        day: NaiveDate,
    ) -> Result<Option<bool>, CaseRefused> {
        self.category_name(code)?;
        let profile = standing.and_then(|standing| standing.profile.as_ref());
        let profile = profile.filter(|profile| is_current(profile.newest.window_ends_on, day));
        Ok(profile.map(|profile| self.rules.category_is_met(code, profile).unwrap_or(false)))
    }

    /// The monitoring line of a year, in fen.
    #[must_use]
    pub fn line(&self, year: i32) -> Option<i64> {
        self.rules.line(year)
    }

    /// What is known when a household is to leave on a day.
    #[must_use]
    pub fn grounds(&self, standing: &Standing, helped: BTreeSet<Risk>, day: NaiveDate) -> Grounds {
        let observed = standing.profile.as_ref().map(|profile| {
            let condition_met = self.rules.removal_condition_is_met(profile, day).unwrap_or(false);
            Observed::of(&profile.newest, condition_met)
        });
        let income = |&(window_ends_on, per_capita): &(NaiveDate, i64)| Income {
            window_ends_on,
            per_capita,
            line: self.rules.line(window_ends_on.year()),
        };
        Grounds {
            min_months: self.rules.removal.min_months,
            stable_months: self.rules.removal.stable_months,
            labourers: standing.known.composition.labourers,
            observed,
            incomes: standing.incomes.iter().map(income).collect(),
            helped,
        }
    }
}
