//! Inputs of rules about a household: its present members and its newest observation.

use std::collections::BTreeSet;

use chrono::{Months, NaiveDate};

use super::{
    household::{Household, SocialSupport},
    member::{Health, Schooling, Work},
    observation::{HousingGrade, Observation},
    risk::Risk,
};

/// Age from which members count as elderly, in years.
pub const ELDERLY: i32 = 60;

const ELDERLY_FROM: Months = Months::new(12 * ELDERLY.unsigned_abs());

/// Number of members, in all and by condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Composition {
    pub persons: i16,
    /// Members who can work.
    pub labourers: i16,
    /// At school, from primary school to college.
    pub students: i16,
    /// Members who left compulsory education before its end.
    pub children_out_of_school: i16,
    /// Of 60 and over.
    pub elderly: i16,
    pub disabled: i16,
    pub seriously_ill: i16,
    pub chronically_ill: i16,
    pub workers: i16,
    /// Without basic medical insurance.
    pub uninsured: i16,
}

impl Composition {
    /// Counts the present members on a day.
    #[must_use]
    pub fn of(household: &Household, day: NaiveDate) -> Self {
        let mut counts = Self::default();
        for member in household.present() {
            let ill = |health| i16::from(member.personal.health.contains(&health));
            counts.persons += 1;
            counts.labourers += i16::from(member.is_labourer());
            counts.students += i16::from(is_student(member.schooling));
            counts.children_out_of_school += i16::from(member.schooling == Schooling::DroppedOut);
            counts.elderly += i16::from(member.age_on(day) >= ELDERLY);
            counts.disabled += ill(Health::Disabled);
            counts.seriously_ill += ill(Health::SeriousIllness);
            counts.chronically_ill += ill(Health::ChronicDisease);
            counts.workers += i16::from(member.work != Work::None);
            counts.uninsured += i16::from(!member.is_insured());
        }
        counts
    }
}

/// The first day after `day` on which an unchanged household has one more elderly member.
#[must_use]
pub fn elderly_rises_on(household: &Household, day: NaiveDate) -> Option<NaiveDate> {
    let birthdays = household.present().filter_map(|member| member.birth_date.checked_add_months(ELDERLY_FROM));
    birthdays.filter(|birthday| *birthday > day).min()
}

fn is_student(schooling: Schooling) -> bool {
    match schooling {
        Schooling::Primary | Schooling::Junior | Schooling::Senior | Schooling::Vocational | Schooling::College => true,
        Schooling::NotAtSchool | Schooling::BeforeSchool | Schooling::DroppedOut => false,
    }
}

/// The newest observation. Amounts in fen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    pub window_ends_on: NaiveDate,
    pub wages: i64,
    pub business: i64,
    pub property: i64,
    pub transfer: i64,
    pub business_expense: i64,
    pub out_of_pocket: i64,
    pub insurance_received: i64,
    pub net_income: i64,
    pub per_capita_net_income: i64,
    /// In the window a year before.
    pub previous_per_capita_net_income: Option<i64>,
    pub loss: i64,
    pub schooling_guaranteed: bool,
    pub medical_guaranteed: bool,
    pub housing_grade: HousingGrade,
    pub water_safe: bool,
    pub shocks: BTreeSet<Risk>,
}

impl Newest {
    #[must_use]
    pub fn of(observation: &Observation, previous_per_capita_net_income: Option<i64>) -> Self {
        let stated = &observation.stated;
        Self {
            window_ends_on: stated.window_ends_on,
            wages: stated.wages,
            business: stated.business,
            property: stated.property,
            transfer: stated.transfer,
            business_expense: stated.business_expense,
            out_of_pocket: stated.out_of_pocket,
            insurance_received: stated.insurance_received,
            net_income: stated.net_income(),
            per_capita_net_income: observation.per_capita_net_income(),
            previous_per_capita_net_income,
            loss: stated.loss(),
            schooling_guaranteed: stated.schooling_guaranteed,
            medical_guaranteed: stated.medical_guaranteed,
            housing_grade: stated.housing_grade,
            water_safe: stated.water_safe,
            shocks: stated.shocks.iter().map(|shock| shock.cause).collect(),
        }
    }
}

/// Facts about a household that do not depend on observations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    pub composition: Composition,
    /// Whether it was lifted out of poverty by 2020.
    pub lifted_from_poverty: bool,
    pub support: SocialSupport,
    pub monitored: bool,
}

impl Circumstances {
    #[must_use]
    pub fn observed(self, newest: Newest) -> Profile {
        let Self { composition, lifted_from_poverty, support, monitored } = self;
        Profile { composition, lifted_from_poverty, support, monitored, newest }
    }
}

/// Circumstances of a household with its newest observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub composition: Composition,
    pub lifted_from_poverty: bool,
    pub support: SocialSupport,
    pub monitored: bool,
    pub newest: Newest,
}
