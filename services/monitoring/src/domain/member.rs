//! Members of households. [`Personal`] holds their personal data, which is never printed.

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
        Head = "head",
        Spouse = "spouse",
        Child = "child",
        ChildInLaw = "child_in_law",
        Grandchild = "grandchild",
        /// Of the head or of the spouse.
        Parent = "parent",
        Grandparent = "grandparent",
        Sibling = "sibling",
        Other = "other",
    }
}

named! {
    pub enum Health {
        Healthy = "healthy",
        ChronicDisease = "chronic_disease",
        SeriousIllness = "serious_illness",
        Disabled = "disabled",
    }
}

named! {
    pub enum LabourAbility {
        Ordinary = "ordinary",
        Skilled = "skilled",
        /// Weak or half labour.
        Weak = "weak",
        Lost = "lost",
        /// Too young, too old, or at school.
        None = "none",
    }
}

named! {
    pub enum Schooling {
        /// And not required to be.
        NotAtSchool = "not_at_school",
        BeforeSchool = "before_school",
        Primary = "primary",
        /// Junior middle school.
        Junior = "junior",
        /// Senior middle school.
        Senior = "senior",
        Vocational = "vocational",
        /// College or university.
        College = "college",
        /// Left compulsory education before its end.
        DroppedOut = "dropped_out",
    }
}

named! {
    pub enum Insurance {
        ResidentMedical = "resident_medical",
        EmployeeMedical = "employee_medical",
        ResidentPension = "resident_pension",
        EmployeePension = "employee_pension",
        /// Insurance against falling back into poverty.
        AntiPoverty = "anti_poverty",
    }
}

named! {
    pub enum Work {
        None = "none",
        /// Farming at home.
        Farming = "farming",
        JobInCounty = "job_in_county",
        /// A job elsewhere in the province.
        JobInProvince = "job_in_province",
        /// A job in another province.
        JobElsewhere = "job_elsewhere",
        PublicServicePost = "public_service_post",
        Business = "business",
    }
}

#[derive(Debug, Clone)]
pub struct Personal {
    pub name: SecretString,
    /// In upper case.
    pub id_number: SecretString,
    /// May be empty.
    pub phone: SecretString,
    /// At least one.
    pub health: BTreeSet<Health>,
}

/// The facts of a member.
#[derive(Debug, Clone)]
pub struct MemberDraft {
    pub name: SecretString,
    pub id_number: IdNumber,
    /// May be empty.
    pub phone: SecretString,
    /// At least one.
    pub health: BTreeSet<Health>,
    pub relation: Relation,
    pub labour: LabourAbility,
    pub schooling: Schooling,
    pub insurances: BTreeSet<Insurance>,
    pub work: Work,
    /// In the past 12, 0 to 12.
    pub work_months: i16,
}

impl MemberDraft {
    /// The member with these facts: sex and day of birth are taken from the ID number.
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

#[derive(Debug, Clone)]
pub struct Member {
    pub id: MemberId,
    pub personal: Personal,
    pub relation: Relation,
    /// From the ID number.
    pub sex: Sex,
    /// From the ID number.
    pub birth_date: NaiveDate,
    pub labour: LabourAbility,
    pub schooling: Schooling,
    pub insurances: BTreeSet<Insurance>,
    pub work: Work,
    /// In the past 12, 0 to 12.
    pub work_months: i16,
    /// First day on which it no longer belongs to the household.
    pub left_on: Option<NaiveDate>,
}

impl Member {
    /// In full years; negative before birth.
    #[must_use]
    pub fn age_on(&self, day: NaiveDate) -> i32 {
        full_years(self.birth_date, day)
    }

    #[must_use]
    pub fn is_present(&self) -> bool {
        self.left_on.is_none()
    }

    /// Whether both have the same ID number.
    #[must_use]
    pub fn is_same_person(&self, other: &Self) -> bool {
        self.personal.id_number.expose_secret() == other.personal.id_number.expose_secret()
    }

    /// Whether its ID number begins with the code of a place in use.
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
