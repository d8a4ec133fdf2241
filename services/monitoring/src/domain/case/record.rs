//! A case as it is kept.

use tongxin_platform::{named, region::RegionCode};

use super::{History, Stage};
use crate::domain::{CaseId, HouseholdId, RuleSetId, SignalId, risk::Risk};

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
