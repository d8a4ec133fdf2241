//! Made-up households: as many as are asked for, none twice, the same in every run.

use chrono::NaiveDate;
use tongxin_proto::monitoring::v1::{
    Health, HouseholdDraft, HousingGrade, Insurance, LabourAbility, MemberDraft, ObservationDraft, Relation, Schooling,
    SocialSupport, Work,
};

use tongxin_tests::entries;

use crate::world::{COUNTIES, COUNTY_VILLAGES, VILLAGES, village};

/// Members of each household.
pub const MEMBERS: usize = 3;

const SURNAMES: [char; 20] = [
    '陈', '李', '黄', '张', '梁', '林', '刘', '吴', '罗', '杨', '谢', '何', '邓', '曾', '唐', '莫', '房', '沈', '冯',
    '欧',
];

/// The full name of a person by its place: some 20 of a million share one.
pub fn name(person: usize) -> String {
    let given = |number: usize| char::from_u32(0x4e00 + u32::try_from(number % 400).unwrap_or(0)).unwrap_or('一');
    format!("{}{}{}", SURNAMES[person % 20], given(person / 20), given(person / 8_000))
}

/// The identity number of a person by its place: nine of ten were born in the county where they live, the others anywhere.
pub fn id_number(person: usize, of: usize) -> String {
    const ELSEWHERE: usize = 900;
    let area = match person % 10 {
        0 => COUNTIES.len() + person / 10 * 7_919 % ELSEWHERE,
        _ => village_number(person / MEMBERS, of) / COUNTY_VILLAGES,
    };
    entries::id_number(area, person)
}

pub fn household_number(household: usize) -> String {
    format!("4418{household:010}")
}

/// The village of a household by its place.
pub fn village_of(place: usize, of: usize) -> String {
    village(village_number(place, of))
}

fn village_number(place: usize, of: usize) -> usize {
    place * VILLAGES / of
}

/// A household by its place. Villages are filled one after the other, as counties send their files.
pub fn household(place: usize, of: usize) -> HouseholdDraft {
    let relations = [Relation::Head, Relation::Other, Relation::Other];
    let member = |number: usize| MemberDraft {
        name: name(place * MEMBERS + number),
        id_number: id_number(place * MEMBERS + number, of),
        relation: relations[number].into(),
        health: vec![Health::Healthy.into()],
        labour: LabourAbility::Ordinary.into(),
        schooling: Schooling::NotAtSchool.into(),
        insurances: vec![Insurance::ResidentMedical.into()],
        work: Work::JobInCounty.into(),
        work_months: 10,
        phone: "13800000000".to_owned(),
    };
    HouseholdDraft {
        household_number: household_number(place),
        region_code: village_of(place, of),
        address: format!("第{}村民小组", place % 12 + 1),
        lifted_from_poverty: place.is_multiple_of(3),
        support: SocialSupport::None.into(),
        members: (0..MEMBERS).map(member).collect(),
        ..HouseholdDraft::default()
    }
}

/// What a household earned and lacked: one in a hundred is at risk.
pub fn observation(place: usize, window_ends_on: NaiveDate) -> ObservationDraft {
    let is_at_risk = place.is_multiple_of(100);
    let yuan = if is_at_risk { 12_000 } else { 60_000 + i64::try_from(place % 40_000).unwrap_or(0) };
    ObservationDraft {
        household_number: household_number(place),
        window_ends_on: Some(window_ends_on.into()),
        wages_fen: yuan * 80,
        business_fen: yuan * 20,
        schooling_guaranteed: true,
        medical_guaranteed: true,
        housing_grade: HousingGrade::A.into(),
        water_safe: true,
        ..ObservationDraft::default()
    }
}
