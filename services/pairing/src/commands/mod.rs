//! Changes: one file for each verb. Load, decide, save.

mod adopt_coverage_rules;
mod end_pairing;
mod establish_pairings;
mod import_organisations;
mod import_pairings;
mod import_regions;
pub mod organisations;
mod record_activity;
mod register_organisations;
mod unchanged;
mod void_activity;
mod void_pairing;

use chrono::NaiveDate;
use tongxin_platform::request::{Context, EntryWindow};

pub use adopt_coverage_rules::adopt_coverage_rules;
pub use end_pairing::EndPairing;
pub use establish_pairings::{EstablishPairing, EstablishPairings};
pub use import_organisations::{OrganisationImport, OrganisationRow};
pub use import_pairings::{PairingImport, PairingRow};
pub use import_regions::ImportRegions;
pub use record_activity::RecordActivity;
pub use register_organisations::{RegisterOrganisation, RegisterOrganisations};
pub use void_activity::VoidActivity;
pub use void_pairing::VoidPairing;

use crate::{domain::coverage::CoverageRules, error::Error};

/// What pairing decides by.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Maximum age of entries.
    pub window: EntryWindow,
    /// When a village counts as covered.
    pub coverage: CoverageRules,
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
