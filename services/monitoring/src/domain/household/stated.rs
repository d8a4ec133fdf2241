//! Households as requests and rows of files state them: values may be masked, and what lists do not show may be left
//! out.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use secrecy::{ExposeSecret as _, SecretString};
use tongxin_platform::region::RegionCode;

use super::{HouseholdDraft, HouseholdRefused, Statement, Why, check_whole};
use crate::domain::{
    HouseholdId,
    id_number::IdNumber,
    member::{Health, Insurance, LabourAbility, MemberDraft, Relation, Schooling, Work},
};

/// A household as it is stated.
#[derive(Debug, Clone)]
pub struct StatedHousehold {
    /// The household that is kept, if the row is about one.
    pub id: Option<HouseholdId>,
    /// Village or community.
    pub region: RegionCode,
    /// First day on which it counts as registered, unless that is left out.
    pub registered_on: Option<NaiveDate>,
    pub statement: Statement,
    /// In display order.
    pub members: Vec<StatedMember>,
}

/// A member as it is stated.
#[derive(Debug, Clone)]
pub struct StatedMember {
    pub name: SecretString,
    /// In upper case.
    pub id_number: SecretString,
    /// May be empty.
    pub phone: SecretString,
    /// Empty if it is left out.
    pub health: BTreeSet<Health>,
    pub relation: Relation,
    pub labour: LabourAbility,
    pub schooling: Schooling,
    pub insurances: BTreeSet<Insurance>,
    pub work: Work,
    /// In the past 12, 0 to 12.
    pub work_months: i16,
}

impl StatedHousehold {
    /// The draft of a new household. It counts as registered from today on unless another day is stated.
    pub fn whole(self, today: NaiveDate) -> Result<HouseholdDraft, HouseholdRefused> {
        let members = self.members.into_iter().enumerate();
        let members = members.map(|(place, member)| member.whole(|field| format!("members[{place}].{field}")));
        Ok(HouseholdDraft {
            region: self.region,
            registered_on: self.registered_on.unwrap_or(today),
            statement: self.statement,
            members: members.collect::<Result<_, _>>()?,
        })
    }
}

impl StatedMember {
    /// The facts of a member, if none is masked or left out. `path` makes the path of a field in the request.
    pub fn whole(self, path: impl Fn(&str) -> String) -> Result<MemberDraft, HouseholdRefused> {
        for (field, value) in [("name", &self.name), ("id_number", &self.id_number), ("phone", &self.phone)] {
            check_whole(|| path(field), value)?;
        }
        let id_number = IdNumber::parse(self.id_number.expose_secret())
            .map_err(|error| HouseholdRefused::new(path("id_number"), error))?;
        if self.health.is_empty() {
            return Err(HouseholdRefused::new(path("health"), Why::Missing));
        }
        Ok(MemberDraft {
            name: self.name,
            id_number,
            phone: self.phone,
            health: self.health,
            relation: self.relation,
            labour: self.labour,
            schooling: self.schooling,
            insurances: self.insurances,
            work: self.work,
            work_months: self.work_months,
        })
    }
}
