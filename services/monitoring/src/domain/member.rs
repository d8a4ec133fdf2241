//! Members of households. What is personal is held in [`Personal`], which nothing prints.

use std::collections::BTreeSet;

use chrono::{Datelike as _, NaiveDate};
use secrecy::{ExposeSecret as _, SecretString};
use tongxin_platform::named;

use super::{
    MemberId,
    id_number::{IdNumber, is_place_known},
};

pub use super::sex::Sex;

named! {
    /// Relation to the head.
    pub enum Relation {
        /// The head.
        Head = "head",
        /// Husband or wife.
        Spouse = "spouse",
        /// Son or daughter.
        Child = "child",
        /// Son's wife or daughter's husband.
        ChildInLaw = "child_in_law",
        /// Grandchild.
        Grandchild = "grandchild",
        /// Father or mother, of the head or the spouse.
        Parent = "parent",
        /// Grandparent.
        Grandparent = "grandparent",
        /// Brother or sister.
        Sibling = "sibling",
        /// Anyone else.
        Other = "other",
    }
}

named! {
    /// A health fact.
    pub enum Health {
        /// Healthy.
        Healthy = "healthy",
        /// Long-term chronic disease.
        ChronicDisease = "chronic_disease",
        /// Serious illness.
        SeriousIllness = "serious_illness",
        /// Disabled.
        Disabled = "disabled",
    }
}

named! {
    /// Ability to work.
    pub enum LabourAbility {
        /// Ordinary labour.
        Ordinary = "ordinary",
        /// Skilled labour.
        Skilled = "skilled",
        /// Weak or half labour.
        Weak = "weak",
        /// Lost the ability to work.
        Lost = "lost",
        /// No labour: too young, too old, at school.
        None = "none",
    }
}

named! {
    /// Where a member stands with school.
    pub enum Schooling {
        /// Not at school, and not to be.
        NotAtSchool = "not_at_school",
        /// Before school age.
        BeforeSchool = "before_school",
        /// Primary school.
        Primary = "primary",
        /// Junior middle school.
        Junior = "junior",
        /// Senior middle school.
        Senior = "senior",
        /// Vocational school.
        Vocational = "vocational",
        /// College or university.
        College = "college",
        /// Left compulsory education before its end.
        DroppedOut = "dropped_out",
    }
}

named! {
    /// An insurance.
    pub enum Insurance {
        /// Residents' basic medical insurance.
        ResidentMedical = "resident_medical",
        /// Employees' basic medical insurance.
        EmployeeMedical = "employee_medical",
        /// Residents' pension insurance.
        ResidentPension = "resident_pension",
        /// Employees' pension insurance.
        EmployeePension = "employee_pension",
        /// Insurance against falling back into poverty.
        AntiPoverty = "anti_poverty",
    }
}

named! {
    /// What a member works at.
    pub enum Work {
        /// Does not work.
        None = "none",
        /// Farming at home.
        Farming = "farming",
        /// A job within the county.
        JobInCounty = "job_in_county",
        /// A job elsewhere in the province.
        JobInProvince = "job_in_province",
        /// A job in another province.
        JobElsewhere = "job_elsewhere",
        /// A public-service post.
        PublicServicePost = "public_service_post",
        /// A business of one's own.
        Business = "business",
    }
}

/// What is personal of a member.
#[derive(Debug, Clone)]
pub struct Personal {
    /// Full name.
    pub name: SecretString,
    /// Resident identity number, in upper case.
    pub id_number: SecretString,
    /// Phone; may be empty.
    pub phone: SecretString,
    /// Health facts, at least one.
    pub health: BTreeSet<Health>,
}

/// What is stated of a member.
#[derive(Debug, Clone)]
pub struct MemberDraft {
    /// Full name.
    pub name: SecretString,
    /// Resident identity number.
    pub id_number: IdNumber,
    /// Phone; may be empty.
    pub phone: SecretString,
    /// Health facts, at least one.
    pub health: BTreeSet<Health>,
    /// Relation to the head.
    pub relation: Relation,
    /// Ability to work.
    pub labour: LabourAbility,
    /// School.
    pub schooling: Schooling,
    /// Insurances.
    pub insurances: BTreeSet<Insurance>,
    /// Work.
    pub work: Work,
    /// Months worked in the past 12, 0 to 12.
    pub work_months: i16,
}

impl MemberDraft {
    /// The member of whom this is stated: sex and day of birth are those of the ID number.
    #[must_use]
    pub fn member(self, id: MemberId) -> Member {
        Member {
            id,
            relation: self.relation,
            sex: self.id_number.sex(),
            birth_date: self.id_number.birth_date(),
            labour: self.labour,
            schooling: self.schooling,
            insurances: self.insurances,
            work: self.work,
            work_months: self.work_months,
            left_on: None,
            personal: Personal {
                name: self.name,
                id_number: self.id_number.text().clone(),
                phone: self.phone,
                health: self.health,
            },
        }
    }
}

/// A member.
#[derive(Debug, Clone)]
pub struct Member {
    /// Identifier.
    pub id: MemberId,
    /// What is personal.
    pub personal: Personal,
    /// Relation to the head.
    pub relation: Relation,
    /// Sex, as the ID number says.
    pub sex: Sex,
    /// Day of birth, as the ID number says.
    pub birth_date: NaiveDate,
    /// Ability to work.
    pub labour: LabourAbility,
    /// School.
    pub schooling: Schooling,
    /// Insurances.
    pub insurances: BTreeSet<Insurance>,
    /// Work.
    pub work: Work,
    /// Months worked in the past 12, 0 to 12.
    pub work_months: i16,
    /// First day on which it no longer belongs to the household.
    pub left_on: Option<NaiveDate>,
}

impl Member {
    /// Full years of age on a day; negative before birth.
    #[must_use]
    pub fn age_on(&self, day: NaiveDate) -> i32 {
        full_years(self.birth_date, day)
    }

    /// Whether it belongs to the household.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.left_on.is_none()
    }

    /// Whether it is the one of the same ID number.
    #[must_use]
    pub fn is_same_person(&self, other: &Self) -> bool {
        self.personal.id_number.expose_secret() == other.personal.id_number.expose_secret()
    }

    /// Whether its ID number begins with a place that is in use.
    #[must_use]
    pub fn is_place_known(&self) -> bool {
        is_place_known(self.personal.id_number.expose_secret())
    }

    /// Whether it can work: ordinary, skilled or weak labour.
    #[must_use]
    pub fn is_labourer(&self) -> bool {
        matches!(self.labour, LabourAbility::Ordinary | LabourAbility::Skilled | LabourAbility::Weak)
    }

    /// Whether it has basic medical insurance.
    #[must_use]
    pub fn is_insured(&self) -> bool {
        self.insurances.contains(&Insurance::ResidentMedical) || self.insurances.contains(&Insurance::EmployeeMedical)
    }
}

/// Full years from a day of birth to a day; negative before birth.
#[must_use]
pub fn full_years(birth_date: NaiveDate, day: NaiveDate) -> i32 {
    let had_birthday = (day.month(), day.day()) >= (birth_date.month(), birth_date.day());
    day.year() - birth_date.year() - i32::from(!had_birthday)
}
