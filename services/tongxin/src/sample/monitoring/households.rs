//! Households and their members.

use anyhow::{Result, ensure};
use chrono::{Datelike as _, NaiveDate};
use tongxin_proto::{
    monitoring::v1::{
        Health, HouseholdDraft, Insurance, LabourAbility, MemberDraft, Relation, Schooling, SocialSupport, Work,
    },
    register::v1::RegionLevel,
};

use super::people::{IdNumbers, name, surname};
use crate::sample::{chance::Chance, files::Files};

/// Households of all assisted villages, distributed evenly.
pub fn of(files: &Files) -> Result<Vec<HouseholdDraft>> {
    let villages: Vec<_> =
        files.regions.iter().filter(|region| region.assisted && region.level() == RegionLevel::Village).collect();
    ensure!(!villages.is_empty(), "the register of the sample has no assisted village");
    let mut making = Making {
        chance: Chance::of(files.manifest.seed, "households"),
        numbers: IdNumbers::new(),
        registered_on: files.manifest.register_effective_from,
        year: files.manifest.as_of.year(),
    };
    let drafts = (0..files.manifest.households).map(|number| {
        let village = villages[number % villages.len()];
        making.household(number / villages.len() + 1, &village.code)
    });
    Ok(drafts.collect())
}

struct Making {
    chance: Chance,
    numbers: IdNumbers,
    registered_on: NaiveDate,
    /// The year in which members have their ages.
    year: i32,
}

/// The role of a member, without the person.
struct Part {
    relation: Relation,
    is_male: bool,
    age: i32,
}

impl Making {
    fn household(&mut self, number: usize, region_code: &str) -> HouseholdDraft {
        let surname = surname(&mut self.chance);
        let parts = self.parts();
        let members: Vec<_> = parts.into_iter().map(|part| self.member(surname, &part)).collect();
        let has_labour = members.iter().any(|member| is_labour(member.labour()));
        let support = match (has_labour, self.chance.below(12)) {
            (false, 0..6) => SocialSupport::ExtremeDifficulty,
            (false, _) | (true, 0) => SocialSupport::Subsistence,
            (true, _) => SocialSupport::None,
        };
        HouseholdDraft {
            household_number: format!("{region_code}{number:04}"),
            region_code: region_code.to_owned(),
            address: format!("第{}村民小组{}号", 1 + self.chance.below(12), 1 + self.chance.below(90)),
            bank_account: String::new(),
            lifted_from_poverty: self.chance.below(3) == 0,
            support: support.into(),
            registered_on: Some(self.registered_on.into()),
            members,
            ..HouseholdDraft::default()
        }
    }

    /// A head; mostly a spouse, children and a parent.
    fn parts(&mut self) -> Vec<Part> {
        let age = self.between(28, 68);
        let is_male = self.chance.below(5) > 0;
        let mut parts = vec![Part { relation: Relation::Head, is_male, age }];
        let gap = self.between(0, 4);
        if self.chance.below(8) > 0 {
            parts.push(Part { relation: Relation::Spouse, is_male: !is_male, age: (age - gap).max(24) });
        }
        for _ in 0..self.chance.below(4) {
            let child = age - self.between(23, 38);
            if child >= 0 {
                parts.push(Part { relation: Relation::Child, is_male: self.chance.below(2) == 0, age: child });
            }
        }
        if age < 58 && self.chance.below(3) == 0 {
            let parent = age + self.between(20, 30);
            parts.push(Part { relation: Relation::Parent, is_male: self.chance.below(2) == 0, age: parent });
        }
        parts
    }

    fn member(&mut self, surname: &str, part: &Part) -> MemberDraft {
        let birth_date = self.birth_date(part.age);
        let of_family = !matches!(part.relation, Relation::Spouse);
        let own = super::people::surname(&mut self.chance);
        let schooling = self.schooling(part.age);
        let health = self.health(part.age);
        let labour = self.labour(part.age, schooling, &health);
        let (work, work_months) = self.work(part.age, labour);
        MemberDraft {
            name: name(if of_family { surname } else { own }, &mut self.chance),
            id_number: self.numbers.next(birth_date, part.is_male),
            relation: part.relation.into(),
            health: health.into_iter().map(Into::into).collect(),
            labour: labour.into(),
            schooling: schooling.into(),
            insurances: insurances(part.age),
            work: work.into(),
            work_months,
            phone: String::new(),
        }
    }

    fn between(&mut self, least: i32, most: i32) -> i32 {
        let range = usize::try_from(most - least + 1).unwrap_or(1);
        least + i32::try_from(self.chance.below(range)).unwrap_or(0)
    }

    /// A birthday on which the age is reached within the year.
    fn birth_date(&mut self, age: i32) -> NaiveDate {
        let first = NaiveDate::from_ymd_opt(self.year - age, 1, 1).unwrap_or_default();
        let last = NaiveDate::from_ymd_opt(self.year - age, 12, 28).unwrap_or_default();
        self.chance.day(first, last)
    }

    fn schooling(&mut self, age: i32) -> Schooling {
        match age {
            ..=6 => Schooling::BeforeSchool,
            7..=12 => Schooling::Primary,
            13..=15 => Schooling::Junior,
            16..=18 if self.chance.below(3) == 0 => Schooling::Vocational,
            16..=18 => Schooling::Senior,
            19..=22 if self.chance.below(2) == 0 => Schooling::College,
            _ => Schooling::NotAtSchool,
        }
    }

    fn health(&mut self, age: i32) -> Vec<Health> {
        let odds = if age >= 60 { 6 } else { 25 };
        match self.chance.below(odds * 4) {
            0 => vec![Health::SeriousIllness],
            1 => vec![Health::Disabled],
            2 | 3 => vec![Health::ChronicDisease],
            _ => vec![Health::Healthy],
        }
    }

    fn labour(&mut self, age: i32, schooling: Schooling, health: &[Health]) -> LabourAbility {
        let is_limited = health.iter().any(|fact| matches!(fact, Health::Disabled | Health::SeriousIllness));
        match age {
            ..16 => LabourAbility::None,
            _ if schooling != Schooling::NotAtSchool => LabourAbility::None,
            70.. => LabourAbility::None,
            60.. => LabourAbility::Weak,
            _ if is_limited => LabourAbility::Weak,
            _ if self.chance.below(6) == 0 => LabourAbility::Skilled,
            _ => LabourAbility::Ordinary,
        }
    }

    fn work(&mut self, age: i32, labour: LabourAbility) -> (Work, i32) {
        if !is_labour(labour) {
            return (Work::None, 0);
        }
        if age >= 60 || labour == LabourAbility::Weak {
            return (Work::Farming, self.between(6, 10));
        }
        let work = self.chance.pick(&[
            Work::Farming,
            Work::JobInCounty,
            Work::JobInProvince,
            Work::JobInProvince,
            Work::JobElsewhere,
            Work::PublicServicePost,
            Work::Business,
        ]);
        (work, self.between(6, 12))
    }
}

fn insurances(age: i32) -> Vec<i32> {
    let mut insurances = vec![Insurance::ResidentMedical.into()];
    if age >= 16 {
        insurances.push(Insurance::ResidentPension.into());
    }
    insurances
}

pub fn is_labour(ability: LabourAbility) -> bool {
    matches!(ability, LabourAbility::Ordinary | LabourAbility::Skilled | LabourAbility::Weak)
}
