//! Households as callers state them.

use tongxin_proto::monitoring::v1::{
    self, Health, HouseholdDraft, Insurance, LabourAbility, MemberDraft, Relation, Schooling, SocialSupport, Work,
};
use tonic::Status;

use crate::support::{Clients, TestApp, new_request_id};

/// The ID number of somebody who was born on a day (such as `19800101`), with the right check digit. Odd orders are
/// men's, even ones women's.
pub fn id_number(birth_date: &str, order: u32) -> String {
    id_number_of("441823", birth_date, order)
}

/// The same of somebody who was first registered at a place.
pub fn id_number_of(place: &str, birth_date: &str, order: u32) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let digits = format!("{place}{birth_date}{order:03}");
    let sum: u32 = digits.chars().zip(WEIGHTS).map(|(digit, weight)| digit.to_digit(10).unwrap() * weight).sum();
    format!("{digits}{}", "10X98765432".chars().nth(sum as usize % 11).unwrap())
}

pub fn member(name: &str, id_number: impl Into<String>, relation: Relation) -> MemberDraft {
    MemberDraft {
        name: name.to_owned(),
        id_number: id_number.into(),
        relation: relation.into(),
        health: vec![Health::Healthy.into()],
        labour: LabourAbility::Ordinary.into(),
        schooling: Schooling::NotAtSchool.into(),
        insurances: vec![Insurance::ResidentMedical.into()],
        work: Work::Farming.into(),
        work_months: 10,
        phone: String::new(),
    }
}

pub fn household(region: &str, members: Vec<MemberDraft>) -> HouseholdDraft {
    HouseholdDraft {
        region_code: region.to_owned(),
        lifted_from_poverty: true,
        support: SocialSupport::None.into(),
        members,
        ..HouseholdDraft::default()
    }
}

/// A couple of a village; each order is another couple.
pub fn couple(region: &str, order: u32) -> HouseholdDraft {
    household(
        region,
        vec![
            member("张三丰", id_number("19800101", 2 * order + 1), Relation::Head),
            member("王小花", id_number("19820202", 2 * order + 2), Relation::Spouse),
        ],
    )
}

impl Clients {
    pub async fn register(&mut self, draft: HouseholdDraft) -> Result<v1::Household, Status> {
        let request = v1::RegisterHouseholdRequest { request_id: new_request_id(), household: Some(draft) };
        Ok(self.households.register_household(request).await?.into_inner().household.unwrap())
    }

    pub async fn household(&mut self, id: &str) -> Result<v1::Household, Status> {
        let request = v1::GetHouseholdRequest { household_id: id.to_owned() };
        Ok(self.households.get_household(request).await?.into_inner().household.unwrap())
    }

    pub async fn reveal(&mut self, id: &str) -> Result<v1::RevealedHousehold, Status> {
        let request = v1::RevealHouseholdRequest {
            household_id: id.to_owned(),
            purpose: v1::RevealPurpose::HomeVisit.into(),
            reference: String::new(),
        };
        Ok(self.households.reveal_household(request).await?.into_inner().household.unwrap())
    }

    /// The households that are found by an ID number.
    pub async fn by_id_number(&mut self, id_number: &str) -> Vec<String> {
        let request = v1::FindHouseholdsRequest { id_number: id_number.to_owned(), ..Default::default() };
        let found = self.households.find_households(request).await.unwrap().into_inner().households;
        found.into_iter().map(|household| household.household_id).collect()
    }
}

impl TestApp {
    /// A registered couple.
    pub async fn registered(&self, region: &str, order: u32) -> v1::Household {
        self.hq().register(couple(region, order)).await.unwrap()
    }

    /// How many households a village has on a day, by the changes that were stated.
    pub async fn counted(&self, village: &str, on: &str) -> i64 {
        self.count_of(v1::Counted::Households, village, on).await
    }
}
