//! The rules: pure, with their tests beside them.

pub mod calendar;
pub mod case;
pub mod case_file;
pub mod disclosure;
pub mod holiday;
pub mod household;
pub mod id_number;
pub mod ids;
pub mod income;
pub mod measure;
pub mod member;
pub mod merge;
pub mod observation;
pub mod procedure;
pub mod profile;
pub mod quality;
pub mod risk;
pub mod rule_choice;
pub mod rule_set;
pub mod rules;
pub mod screening;
pub mod sex;
pub mod signal;
pub mod verdict;

pub use ids::{CaseId, HouseholdId, MeasureId, MemberId, MergeId, RuleSetId, SignalId, VerdictId, WarningId};
