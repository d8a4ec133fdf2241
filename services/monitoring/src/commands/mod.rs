//! Changes: one file for each verb. Load, decide, save.

mod batch_case_commands;
mod case_work;
mod change_household;
mod check_households;
mod count_elderly;
mod decide_signal;
mod find_households;
mod finish_measure;
mod household_numbers;
mod import_households;
mod import_observations;
mod match_warnings;
mod merge_households;
mod move_household;
mod open_case;
mod plan_measure;
mod propose_removal;
mod record_hits;
mod record_observation;
mod record_step;
mod record_village_income;
mod register_household;
mod remove_member;
mod report_signal;
mod restate_household;
mod reveal_household;
mod roll_back_removal;
mod screen_households;
mod set_holidays;
mod set_member;
mod store_rule_set;
mod submit_warnings;
mod undo_merge;

use std::sync::Arc;

use chrono::NaiveDate;
use tongxin_platform::request::{Context, EntryWindow};

pub use batch_case_commands::{About, BatchCaseCommands, CaseCommand, Failed, Row};
pub use case_work::{Authorized, Rights, WithWarnings};
pub use change_household::ChangeHousehold;
pub use check_households::Check;
pub use decide_signal::DecideSignal;
pub use find_households::FindHouseholds;
pub use finish_measure::FinishMeasure;
pub use import_households::{HouseholdImport, NewHousehold};
pub use import_observations::{NewObservation, ObservationImport};
pub use match_warnings::match_waiting;
pub use merge_households::MergeHouseholds;
pub use move_household::MoveHousehold;
pub use open_case::OpenCase;
pub use plan_measure::PlanMeasure;
pub use propose_removal::ProposeRemoval;
pub use record_hits::RecordHits;
pub use record_observation::{HouseholdRef, RecordObservation, Screened};
pub use record_step::RecordStep;
pub use record_village_income::RecordVillageIncome;
pub use register_household::RegisterHousehold;
pub use remove_member::RemoveMember;
pub use report_signal::{ReportSignal, Reported};
pub use restate_household::Entered;
pub use reveal_household::RevealHousehold;
pub use roll_back_removal::RollBackRemoval;
pub use screen_households::{Part, Sweep, simulate, sweep};
pub use set_holidays::{DaysStated, SetHolidays};
pub use set_member::SetMember;
pub use store_rule_set::StoreRuleSet;
pub use submit_warnings::{SubmitWarnings, Submitted, WarningDraft};
pub use undo_merge::UndoMerge;

use crate::{domain::income::IncomeTiers, error::Error, store::keys::Keys};

/// What monitoring decides by.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Maximum age of entries.
    pub window: EntryWindow,
    /// For personal data.
    pub keys: Arc<Keys>,
    /// Tiers of the collective income of villages.
    pub income_tiers: IncomeTiers,
}

impl Policy {
    /// Checks that a business date may be entered.
    fn check_date(&self, field: &'static str, date: NaiveDate, context: &Context) -> Result<(), Error> {
        self.window.check(date, context).map_err(|refused| Error::Date(field, refused))
    }
}

/// Optimistic concurrency: checks that the record is still in the version that the caller saw. Zero skips the check.
fn at_version(actual: i64, expected: i64) -> Result<(), Error> {
    if expected == 0 || expected == actual { Ok(()) } else { Err(Error::Stale { expected, actual }) }
}
