//! Cases: a household's way into monitoring and out of it.

pub mod counts;
mod event;
mod grounds;
mod guards;
mod history;
mod opening;
mod record;
mod refused;
mod removal;
mod rules;
mod stage;
#[cfg(test)]
mod tests;
mod timetable;
mod transitions;

pub use counts::{CountChange, Counted};
pub use event::CaseEvent;
pub use grounds::{Grounds, Income, Observed};
pub use guards::{may_be_one, not_before};
pub use history::{Entry, Fact, History, Notice};
pub use opening::{CaseDraft, Opening};
pub use record::{Case, Emergency};
pub use refused::CaseRefused;
pub use removal::{Removal, RemovalKind};
pub use rules::{CaseRules, HouseholdAsOf};
pub use stage::{Stage, StageName};
pub use timetable::{Deadline, Due, Timetable};
pub use transitions::{StepRecord, StepRules};
