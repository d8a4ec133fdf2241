//! Income and needs of a household in 12 months.

use std::{borrow::Cow, collections::HashSet};

use chrono::{Datelike as _, Months, NaiveDate};
use tongxin_platform::{error::Refusal, named};

use super::risk::{Disaster, Risk};

named! {
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

/// An event that hit a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shock {
    pub cause: Risk,
    /// For a natural disaster, its kind.
    pub disaster: Option<Disaster>,
    /// In fen, at least 0.
    pub loss_fen: i64,
}

/// The facts of 12 months. Amounts in fen, 0 to 10^11.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservationDraft {
    /// The last day of a month.
    pub window_ends_on: NaiveDate,
    pub wages: i64,
    /// Production and business.
    pub business: i64,
    pub property: i64,
    pub transfer: i64,
    pub business_expense: i64,
    /// Compliant out-of-pocket spending on health.
    pub out_of_pocket: i64,
    pub insurance_received: i64,
    /// All children of school age are at school.
    pub schooling_guaranteed: bool,
    /// All members have basic medical insurance.
    pub medical_guaranteed: bool,
    pub housing_grade: HousingGrade,
    pub water_safe: bool,
    pub shocks: Vec<Shock>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    pub stated: ObservationDraft,
    /// Number of members that income is divided by, at least 1.
    pub persons: i16,
    /// Rises with each correction, from 1.
    pub version: i64,
}

/// Why what is stated is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum ObservationRefused {
    /// The window does not end with a month.
    #[error("a window ends with the last day of a month, {0} is none")]
    #[refusal(Invalid, "WINDOW_END_WRONG", field = "window_ends_on")]
    WindowEndWrong(NaiveDate),
    /// A shock is stated twice.
    #[error("the shock {} is stated twice: add up its losses", .0.name())]
    #[refusal(Invalid, "SHOCK_TWICE", field = "shocks")]
    ShockTwice(Risk),
    /// An amount is below 0: the path of its field.
    #[error("{0} is below 0: what a business lost is its expense")]
    #[refusal(Invalid, "AMOUNT_NEGATIVE", field = _0)]
    AmountNegative(Cow<'static, str>),
}

/// How long after its end a window is current.
const CURRENT: Months = Months::new(12);

/// Windows that ended by this day are history on `day`: they identify no household and are not screened.
#[must_use]
pub fn history_until(day: NaiveDate) -> NaiveDate {
    day.checked_sub_months(CURRENT).unwrap_or(NaiveDate::MIN)
}

/// Whether a window is current on a day.
#[must_use]
pub fn is_current(window_ends_on: NaiveDate, day: NaiveDate) -> bool {
    window_ends_on > history_until(day)
}

/// The end of the window a year before: the last day of the same month, in leap years too.
#[must_use]
pub fn a_year_before(window_ends_on: NaiveDate) -> NaiveDate {
    let begins = |ends: NaiveDate| ends.succ_opt()?.checked_sub_months(Months::new(12))?.pred_opt();
    begins(window_ends_on).unwrap_or(NaiveDate::MIN)
}

impl ObservationDraft {
    /// Checks that the window ends with a month, no amount is negative, and no shock is given twice.
    pub fn check(&self) -> Result<(), ObservationRefused> {
        if self.window_ends_on.succ_opt().is_none_or(|next_day| next_day.day() != 1) {
            return Err(ObservationRefused::WindowEndWrong(self.window_ends_on));
        }
        if let Some((field, _)) = self.amounts().into_iter().find(|(_, amount)| *amount < 0) {
            return Err(ObservationRefused::AmountNegative(field.into()));
        }
        if let Some(place) = self.shocks.iter().position(|shock| shock.loss_fen < 0) {
            return Err(ObservationRefused::AmountNegative(format!("shocks[{place}].loss_fen").into()));
        }
        let mut seen = HashSet::new();
        match self.shocks.iter().find(|shock| !seen.insert((shock.cause, shock.disaster))) {
            Some(shock) => Err(ObservationRefused::ShockTwice(shock.cause)),
            None => Ok(()),
        }
    }

    /// All amounts except losses, by field.
    fn amounts(&self) -> [(&'static str, i64); 7] {
        [
            ("wages_fen", self.wages),
            ("business_fen", self.business),
            ("property_fen", self.property),
            ("transfer_fen", self.transfer),
            ("business_expense_fen", self.business_expense),
            ("out_of_pocket_fen", self.out_of_pocket),
            ("insurance_received_fen", self.insurance_received),
        ]
    }

    /// Wages, business, property and transfers less the expense of business, in fen; may be negative.
    #[must_use]
    pub fn net_income(&self) -> i64 {
        self.wages + self.business + self.property + self.transfer - self.business_expense
    }

    /// In fen.
    #[must_use]
    pub fn loss(&self) -> i64 {
        self.shocks.iter().map(|shock| shock.loss_fen).sum()
    }
}

impl Observation {
    /// The observation after an entry for a household with so many members. A correction divides by the number of
    /// members at the first entry, because they lived on that income.
    #[must_use]
    pub fn recorded(earlier: Option<&Self>, stated: ObservationDraft, persons: i16) -> Self {
        Self {
            stated,
            persons: earlier.map_or(persons, |earlier| earlier.persons),
            version: earlier.map_or(0, |earlier| earlier.version) + 1,
        }
    }

    /// In fen, rounded down; may be negative.
    #[must_use]
    pub fn per_capita_net_income(&self) -> i64 {
        self.stated.net_income().div_euclid(i64::from(self.persons))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::risk::Disaster;

    fn draft() -> ObservationDraft {
        ObservationDraft {
            window_ends_on: "2025-02-28".parse().unwrap(),
            wages: 1_000_000,
            business: 200_000,
            property: 3_000,
            transfer: 40_000,
            business_expense: 50_001,
            out_of_pocket: 0,
            insurance_received: 0,
            schooling_guaranteed: true,
            medical_guaranteed: true,
            housing_grade: HousingGrade::A,
            water_safe: true,
            shocks: Vec::new(),
        }
    }

    #[test]
    fn income_is_shared_among_the_members_and_rounded_down() {
        let observation = Observation::recorded(None, draft(), 4);
        assert_eq!(observation.stated.net_income(), 1_192_999);
        assert_eq!(observation.per_capita_net_income(), 298_249);
        let loss = ObservationDraft { wages: 0, business: 0, property: 0, transfer: 0, business_expense: 1, ..draft() };
        assert_eq!(Observation::recorded(None, loss, 2).per_capita_net_income(), -1);
    }

    #[test]
    fn a_correction_is_the_next_version_and_divides_by_the_same_members() {
        let first = Observation::recorded(None, draft(), 4);
        let corrected = Observation::recorded(Some(&first), ObservationDraft { wages: 0, ..draft() }, 5);
        assert_eq!((corrected.version, corrected.persons, corrected.stated.wages), (2, 4, 0));
    }

    #[test]
    fn a_window_ends_with_a_month() {
        let ends_on = |text: &str| ObservationDraft { window_ends_on: text.parse().unwrap(), ..draft() }.check();
        assert_eq!((ends_on("2025-02-28"), ends_on("2024-02-29"), ends_on("2025-12-31")), (Ok(()), Ok(()), Ok(())));
        for text in ["2024-02-28", "2025-12-30", "2025-01-01"] {
            assert_eq!(ends_on(text), Err(ObservationRefused::WindowEndWrong(text.parse().unwrap())));
        }
    }

    #[test]
    fn a_window_is_current_for_twelve_months() {
        let is_current = |window: &str, day: &str| is_current(window.parse().unwrap(), day.parse().unwrap());
        assert!(is_current("2024-07-31", "2025-07-30") && is_current("2025-06-30", "2025-06-30"));
        assert!(!is_current("2024-07-31", "2025-07-31") && !is_current("2020-12-31", "2025-06-30"));
        assert!(is_current("2024-02-29", "2025-02-27") && !is_current("2024-02-28", "2025-02-28"));
    }

    #[test]
    fn a_year_before_the_end_of_february_is_the_end_of_february() {
        let before = |text: &str| a_year_before(text.parse().unwrap()).to_string();
        assert_eq!(
            ["2025-02-28", "2024-02-29", "2025-12-31", "2025-01-31"].map(before),
            ["2024-02-29", "2023-02-28", "2024-12-31", "2024-01-31"]
        );
    }

    #[test]
    fn no_amount_is_below_0() {
        for (index, (field, _)) in draft().amounts().iter().enumerate() {
            let mut draft = draft();
            let amounts: [&mut i64; 7] = [
                &mut draft.wages,
                &mut draft.business,
                &mut draft.property,
                &mut draft.transfer,
                &mut draft.business_expense,
                &mut draft.out_of_pocket,
                &mut draft.insurance_received,
            ];
            *amounts.into_iter().nth(index).unwrap() = -1;
            assert_eq!(draft.check(), Err(ObservationRefused::AmountNegative((*field).into())));
        }
        let loss = |cause, loss_fen| Shock { cause, disaster: None, loss_fen };
        let shocks = vec![loss(Risk::Illness, 0), loss(Risk::Accident, -1)];
        let refused = ObservationDraft { shocks, ..draft() }.check().unwrap_err();
        assert_eq!(refused, ObservationRefused::AmountNegative("shocks[1].loss_fen".into()));
    }

    #[test]
    fn a_shock_is_stated_once_but_disasters_differ() {
        let shock = |cause, disaster| Shock { cause, disaster, loss_fen: 1 };
        let hit_by = |shocks| ObservationDraft { shocks, ..draft() }.check();
        let flood = shock(Risk::NaturalDisaster, Some(Disaster::Flood));
        assert_eq!(hit_by(vec![flood, shock(Risk::NaturalDisaster, Some(Disaster::Drought))]), Ok(()));
        assert_eq!(hit_by(vec![flood, flood]), Err(ObservationRefused::ShockTwice(Risk::NaturalDisaster)));
        let again = Shock { loss_fen: 2, ..shock(Risk::Illness, None) };
        assert_eq!(hit_by(vec![shock(Risk::Illness, None), again]), Err(ObservationRefused::ShockTwice(Risk::Illness)));
    }
}
