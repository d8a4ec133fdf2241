//! What a household earned and lacked in 12 months.

use chrono::{Datelike as _, NaiveDate};
use tongxin_platform::named;

use super::risk::{Disaster, Risk};

named! {
    /// Grade of a dwelling's safety.
    pub enum HousingGrade {
        /// Safe.
        A = "A",
        /// Basically safe.
        B = "B",
        /// Locally dangerous.
        C = "C",
        /// Dangerous as a whole.
        D = "D",
    }
}

/// Something that hit a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shock {
    /// What it was.
    pub cause: Risk,
    /// Kind of a natural disaster.
    pub disaster: Option<Disaster>,
    /// Loss in fen, at least 0.
    pub loss_fen: i64,
}

/// What is stated of the 12 months that end on a day. Amounts in fen, 0 to 10^11.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservationDraft {
    /// Last day of the window, the last of a month.
    pub window_ends_on: NaiveDate,
    /// Wages.
    pub wages: i64,
    /// Production and business.
    pub business: i64,
    /// Property.
    pub property: i64,
    /// Transfers.
    pub transfer: i64,
    /// Expense of production and business.
    pub business_expense: i64,
    /// Compliant out-of-pocket spending on health.
    pub out_of_pocket: i64,
    /// Insurance payments received.
    pub insurance_received: i64,
    /// All children of school age are at school.
    pub schooling_guaranteed: bool,
    /// All members have basic medical insurance.
    pub medical_guaranteed: bool,
    /// Grade of the dwelling.
    pub housing_grade: HousingGrade,
    /// Drinking water is safe.
    pub water_safe: bool,
    /// What hit the household.
    pub shocks: Vec<Shock>,
}

/// What is known of the 12 months that end on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// What was stated.
    pub stated: ObservationDraft,
    /// Members by whom income is divided, at least 1.
    pub persons: i16,
    /// Rises with each correction, from 1.
    pub version: i64,
}

/// A window that does not end with a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a window ends with the last day of a month, {0} is none")]
pub struct WindowEndWrong(pub NaiveDate);

impl ObservationDraft {
    /// Makes sure that the window ends with a month.
    ///
    /// # Errors
    /// When it does not.
    pub fn check(&self) -> Result<(), WindowEndWrong> {
        let next_day = self.window_ends_on.succ_opt();
        if next_day.is_some_and(|day| day.day() == 1) { Ok(()) } else { Err(WindowEndWrong(self.window_ends_on)) }
    }

    /// Wages, business, property and transfers less the expense of business, in fen; may be negative.
    #[must_use]
    pub fn net_income(&self) -> i64 {
        self.wages + self.business + self.property + self.transfer - self.business_expense
    }

    /// Sum of the losses, in fen.
    #[must_use]
    pub fn loss(&self) -> i64 {
        self.shocks.iter().map(|shock| shock.loss_fen).sum()
    }
}

impl Observation {
    /// Net income of one person, in fen, rounded down; may be negative.
    #[must_use]
    pub fn per_capita_net_income(&self) -> i64 {
        self.stated.net_income().div_euclid(i64::from(self.persons))
    }
}
