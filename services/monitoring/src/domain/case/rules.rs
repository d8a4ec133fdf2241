//! The rules that apply to cases.

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

/// A household as of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseholdAsOf {
    /// Independent of observations.
    pub known: Circumstances,
    /// Members, and the newest observation whose window had ended; `None` without one.
    pub profile: Option<Profile>,
    /// Last day of each window, including later ones, and the per-capita net income in it, in fen.
    pub incomes: Vec<(NaiveDate, i64)>,
}

/// A rule set with a calendar.
#[derive(Debug, Clone)]
pub struct CaseRules {
    pub timetable: Timetable,
    rules: RuleSet,
}

impl CaseRules {
    #[must_use]
    pub fn new(rules: RuleSet, calendar: Arc<Calendar>) -> Self {
        let deadline = |step| {
            let (days, kind, emergency_days) = rules.deadline(step);
            Deadline { days, kind, emergency_days }
        };
        Self { timetable: Timetable::new(deadline, calendar), rules }
    }

    #[must_use]
    pub fn id(&self) -> RuleSetId {
        self.rules.id
    }

    #[must_use]
    pub fn notice_min_days(&self) -> u32 {
        self.rules.notice_min_days
    }

    pub fn category_name(&self, code: &str) -> Result<&str, CaseRefused> {
        let category = self.rules.categories.iter().find(|category| category.code == code);
        category.map(|category| category.name.as_str()).ok_or_else(|| CaseRefused::CategoryUnknown(code.to_owned()))
    }

    /// Whether a household fits a category on a day; `None` if no observation is current on that day. A condition that
    /// cannot be evaluated is not met.
    pub fn category_met(
        &self,
        code: &str,
        standing: Option<&HouseholdAsOf>,
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

    #[must_use]
    pub fn grounds(&self, standing: &HouseholdAsOf, helped: BTreeSet<Risk>, day: NaiveDate) -> Grounds {
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
