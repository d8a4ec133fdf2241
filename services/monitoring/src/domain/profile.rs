//! What rules ask about a household: its members now, and its newest observation.

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

/// Who belongs to a household, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Composition {
    /// Members.
    pub persons: i16,
    /// Those who can work.
    pub labourers: i16,
    /// Those at school, from primary school to college.
    pub students: i16,
    /// Those who left compulsory education before its end.
    pub children_out_of_school: i16,
    /// Those of 60 and over.
    pub elderly: i16,
    /// Disabled members.
    pub disabled: i16,
    /// Members with a serious illness.
    pub seriously_ill: i16,
    /// Members with a chronic disease.
    pub chronically_ill: i16,
    /// Those who work.
    pub workers: i16,
    /// Those without basic medical insurance.
    pub uninsured: i16,
}

impl Composition {
    /// Counts the members who belong to a household on a day.
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

/// The first day after `day` on which a household that stays as it is has one more who is elderly.
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

/// What the newest observation says. Amounts in fen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// Last day of its window.
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
    /// Out-of-pocket spending on health.
    pub out_of_pocket: i64,
    /// Insurance payments received.
    pub insurance_received: i64,
    /// Net income of the household.
    pub net_income: i64,
    /// Net income of one person.
    pub per_capita_net_income: i64,
    /// Net income of one person in the window a year before.
    pub previous_per_capita_net_income: Option<i64>,
    /// Sum of losses.
    pub loss: i64,
    /// All children of school age are at school.
    pub schooling_guaranteed: bool,
    /// All members have basic medical insurance.
    pub medical_guaranteed: bool,
    /// Grade of the dwelling.
    pub housing_grade: HousingGrade,
    /// Drinking water is safe.
    pub water_safe: bool,
    /// What hit the household.
    pub shocks: BTreeSet<Risk>,
}

impl Newest {
    /// What an observation says, whose window a year before had so much net income of one person.
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

/// What a household is, whatever was observed of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// Its members, in numbers.
    pub composition: Composition,
    /// Whether it was lifted out of poverty by 2020.
    pub lifted_from_poverty: bool,
    /// Social support.
    pub support: SocialSupport,
    /// Whether it is under monitoring.
    pub monitored: bool,
}

impl Circumstances {
    /// What rules ask about it once something is observed.
    #[must_use]
    pub fn observed(self, newest: Newest) -> Profile {
        let Self { composition, lifted_from_poverty, support, monitored } = self;
        Profile { composition, lifted_from_poverty, support, monitored, newest }
    }
}

/// What rules ask about a household that has an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its members, in numbers.
    pub composition: Composition,
    /// Whether it was lifted out of poverty by 2020.
    pub lifted_from_poverty: bool,
    /// Social support.
    pub support: SocialSupport,
    /// Whether it is under monitoring.
    pub monitored: bool,
    /// Its newest observation.
    pub newest: Newest,
}
