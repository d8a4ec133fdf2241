//! The signal funnel: signal, verified, identified, removed, relapsed.

use super::{Department, SignalKind};
use crate::domain::RuleSetId;

/// 100 % in hundredths of a percent.
const WHOLE: i64 = 10_000;

/// How signals came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    pub kind: SignalKind,
    /// For warnings.
    pub department: Option<Department>,
    /// Rule set and rule number, for screenings.
    pub rule: Option<(RuleSetId, i32)>,
}

/// Number of signals by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes {
    pub signals: i64,
    /// Of these, found true.
    pub verified: i64,
    /// Of these, found false.
    pub refuted: i64,
    /// Of these, led to an identified household.
    pub identified: i64,
    /// Of these, the household was removed since.
    pub removed: i64,
    /// Of these, it relapsed since.
    pub relapsed: i64,
}

impl Outcomes {
    /// Identified per signal, in hundredths of a percent, rounded down; 0 without signals.
    #[must_use]
    pub fn precision(&self) -> i64 {
        if self.signals == 0 { 0 } else { self.identified * WHOLE / self.signals }
    }
}

/// Outcomes of the signals of one route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunnelRow {
    pub route: Route,
    pub outcomes: Outcomes,
    /// Number of warnings that the department sent; only for warnings.
    pub warnings: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Funnel {
    /// By route; a signal may have several.
    pub rows: Vec<FunnelRow>,
    /// Each signal once.
    pub total: Outcomes,
}

impl Funnel {
    /// Sets how many warnings a department sent, including those that did not become signals.
    pub fn add_warnings(&mut self, department: Department, warnings: i64) {
        let route = Route { kind: SignalKind::DepartmentWarning, department: Some(department), rule: None };
        match self.rows.iter_mut().find(|row| row.route == route) {
            Some(row) => row.warnings = warnings,
            None => self.rows.push(FunnelRow { route, outcomes: Outcomes::default(), warnings }),
        }
    }

    #[must_use]
    pub fn warnings(&self) -> i64 {
        self.rows.iter().map(|row| row.warnings).sum()
    }
}
