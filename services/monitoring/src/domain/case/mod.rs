//! Cases: a household's way into monitoring and out of it.

pub mod counts;
mod guards;
mod history;
mod opening;
mod refused;
mod removal;
mod rules;
mod stage;
#[cfg(test)]
mod tests;
mod timetable;

use chrono::NaiveDate;
use tongxin_platform::{named, region::RegionCode};

pub use counts::{CountChange, Counted};
pub use guards::{may_be_one, not_before};
pub use history::{Entry, Fact, History, Notice};
pub use opening::{CaseDraft, Opening};
pub use refused::CaseRefused;
pub use removal::{Grounds, Income, Observed, Removal, RemovalKind};
pub use rules::{CaseRules, Standing};
pub use stage::{Due, Stage, StageName, StepRecord, StepRules};
pub use timetable::{Deadline, Timetable};

use super::{CaseId, HouseholdId, RuleSetId, SignalId, measure::Measure, procedure::Step, risk::Risk};

named! {
    /// Why help comes before papers.
    pub enum Emergency {
        /// A disaster.
        Disaster = "disaster",
        /// An accident.
        Accident = "accident",
    }
}

/// A household's way into monitoring and out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Identifier.
    pub id: CaseId,
    /// The household.
    pub household: HouseholdId,
    /// The household's village.
    pub region: RegionCode,
    /// The rule set that its category is of.
    pub rule_set: RuleSetId,
    /// Code of the category.
    pub category: String,
    /// What the household is at risk of, each once.
    pub risks: Vec<Risk>,
    /// What the risk "other" is; empty without it.
    pub risk_remark: String,
    /// Why help comes first.
    pub emergency: Option<Emergency>,
    /// The case after whose removal the household is at risk again.
    pub relapse_of: Option<CaseId>,
    /// Signals that it was opened for.
    pub signals: Vec<SignalId>,
    /// How far it has come.
    pub stage: Stage,
    /// What happened in it.
    pub history: History,
    /// Rises by one with each change, from 1.
    pub version: i64,
}

/// A case with its measures, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFile {
    /// The case.
    pub case: Case,
    /// Its measures.
    pub measures: Vec<Measure>,
}

/// What happened to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseEvent {
    /// It was opened.
    Opened,
    /// A step was passed or refused.
    StepRecorded {
        /// The step.
        step: Step,
        /// Whether it belongs to removal.
        removal: bool,
        /// Whether it was refused.
        refused: bool,
        /// Business date.
        on: NaiveDate,
    },
    /// Removal was proposed.
    RemovalProposed {
        /// How the household leaves.
        kind: RemovalKind,
        /// Business date.
        on: NaiveDate,
    },
    /// A removal was rolled back.
    RemovalRolledBack {
        /// Business date.
        on: NaiveDate,
    },
    /// A count changes.
    Counted(CountChange),
}
