//! A case as it is stored.

use tongxin_platform::{named, region::RegionCode};

use super::{History, Stage};
use crate::domain::{CaseId, HouseholdId, RuleSetId, SignalId, risk::Risk};

named! {
    /// Why help comes before the paperwork.
    pub enum Emergency {
        Disaster = "disaster",
        Accident = "accident",
    }
}

/// A household's way into monitoring and out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub id: CaseId,
    pub household: HouseholdId,
    /// The household's village.
    pub region: RegionCode,
    /// The rule set of the category.
    pub rule_set: RuleSetId,
    /// Code of the category.
    pub category: String,
    /// Without duplicates.
    pub risks: Vec<Risk>,
    /// Describes the risk `Other`; empty without it.
    pub risk_remark: String,
    pub emergency: Option<Emergency>,
    /// The case from whose removal the household relapsed.
    pub relapse_of: Option<CaseId>,
    /// The signals that it was opened for.
    pub signals: Vec<SignalId>,
    pub stage: Stage,
    pub history: History,
    /// Rises by one with each change, from 1.
    pub version: i64,
}
