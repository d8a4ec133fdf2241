//! What rules ask about a household: its members now, and its newest observation.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{
    household::{Household, SocialSupport},
    member::{Health, Schooling, Work},
    observation::HousingGrade,
    risk::Risk,
};

/// Age from which members count as elderly.
const ELDERLY: i32 = 60;

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
