//! What becomes of signals: signal, verified, identified, removed, relapsed.

use super::{Department, SignalKind};
use crate::domain::RuleSetId;

/// All of a part: hundredths of a percent.
const WHOLE: i64 = 10_000;

/// A way on which signals come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// How.
    pub kind: SignalKind,
    /// From which department, for warnings.
    pub department: Option<Department>,
    /// By which rule of which rule set, for screenings.
    pub rule: Option<(RuleSetId, i32)>,
}

/// How many signals there are, and what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// Signals.
    pub signals: i64,
    /// Of these, found to be true.
    pub verified: i64,
    /// Of these, found not to be.
    pub refuted: i64,
    /// Of these, led to an identified household.
    pub identified: i64,
    /// Of these, the household was removed since.
    pub removed: i64,
    /// Of these, it relapsed since.
    pub relapsed: i64,
}

impl Outcomes {
    /// Identified in signals, in hundredths of a percent, rounded down; nothing of nothing is nothing.
    #[must_use]
    pub fn precision(&self) -> i64 {
        if self.signals == 0 { 0 } else { self.identified * WHOLE / self.signals }
    }
}

/// What became of signals that came in on a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunnelRow {
    /// The way.
    pub route: Route,
    /// What became of them.
    pub outcomes: Outcomes,
    /// Warnings that the department sent, for warnings.
    pub warnings: i64,
}

/// What became of signals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Funnel {
    /// By the ways on which they came in; a signal may have come in on several.
    pub rows: Vec<FunnelRow>,
    /// All signals, each once.
    pub total: Outcomes,
}

impl Funnel {
    /// States how many warnings a department sent, whether or not they became signals.
    pub fn add_warnings(&mut self, department: Department, warnings: i64) {
        let route = Route { kind: SignalKind::DepartmentWarning, department: Some(department), rule: None };
        match self.rows.iter_mut().find(|row| row.route == route) {
            Some(row) => row.warnings = warnings,
            None => self.rows.push(FunnelRow { route, outcomes: Outcomes::default(), warnings }),
        }
    }

    /// Warnings that all departments sent.
    #[must_use]
    pub fn warnings(&self) -> i64 {
        self.rows.iter().map(|row| row.warnings).sum()
    }
}
