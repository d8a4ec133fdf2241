//! What has to hold before a household leaves monitoring.

use std::collections::BTreeSet;

use chrono::{Months, NaiveDate};

use super::{CaseRefused, RemovalKind};
use crate::domain::{observation::HousingGrade, profile::Newest, risk::Risk};

/// Income of one person in a window of 12 months, in fen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Income {
    /// Last day of the window.
    pub window_ends_on: NaiveDate,
    /// Per-capita net income.
    pub per_capita: i64,
    /// The monitoring line of the window's year; `None` where the rules have none.
    pub line: Option<i64>,
}

/// What the newest observation says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// Schooling, medical insurance, housing and water are all guaranteed.
    pub guaranteed: bool,
    /// The rule set's condition of removal holds.
    pub condition_met: bool,
}

/// What is known on the day when a household is to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grounds {
    /// Months that have to have passed since identification.
    pub min_months: u32,
    /// Months for which every known income has to lie above its line.
    pub stable_months: u32,
    /// Members who can work.
    pub labourers: i16,
    /// What the newest observation says; `None` without one.
    pub observed: Option<Observed>,
    /// Incomes that are known, in any order; those of windows that end later do not count.
    pub incomes: Vec<Income>,
    /// Risks against which a measure was done by that day.
    pub helped: BTreeSet<Risk>,
}

impl Observed {
    /// What an observation says of the guarantees.
    #[must_use]
    pub fn of(newest: &Newest, condition_met: bool) -> Self {
        let is_safe = matches!(newest.housing_grade, HousingGrade::A | HousingGrade::B);
        let guaranteed = newest.schooling_guaranteed && newest.medical_guaranteed && is_safe && newest.water_safe;
        Self { guaranteed, condition_met }
    }
}

impl Grounds {
    /// Makes sure that a household that was identified on a day may leave on another.
    pub(super) fn check(
        &self,
        risks: &[Risk],
        kind: RemovalKind,
        identified_on: NaiveDate,
        day: NaiveDate,
    ) -> Result<(), CaseRefused> {
        if self.labourers <= 0 {
            return Err(CaseRefused::NoLabour);
        }
        let earliest = identified_on.checked_add_months(Months::new(self.min_months)).unwrap_or(NaiveDate::MAX);
        if day < earliest {
            return Err(CaseRefused::RemovalTooEarly { earliest });
        }
        let observed = self.observed.ok_or(CaseRefused::ObservationMissing)?;
        if !self.is_income_stable(day) {
            return Err(CaseRefused::IncomeNotStable);
        }
        if !observed.guaranteed || !observed.condition_met {
            return Err(CaseRefused::GuaranteesNotMet);
        }
        match kind {
            RemovalKind::Natural => Ok(()),
            RemovalKind::Assisted => match risks.iter().find(|risk| !self.helped.contains(risk)) {
                Some(risk) => Err(CaseRefused::MeasureMissing(*risk)),
                None => Ok(()),
            },
        }
    }

    fn is_income_stable(&self, day: NaiveDate) -> bool {
        let from = day.checked_sub_months(Months::new(self.stable_months)).unwrap_or(NaiveDate::MIN);
        let counting = self.incomes.iter().filter(|income| (from..=day).contains(&income.window_ends_on));
        let mut counting = counting.peekable();
        let is_above = |income: &Income| income.line.is_some_and(|line| income.per_capita > line);
        counting.peek().is_some() && counting.all(is_above)
    }
}
