//! Refusals of rule sets, and which one applies.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::*;
use crate::domain::{household::SocialSupport, observation::HousingGrade, profile::Composition, screening::RuleBook};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn region(text: &str) -> RegionCode {
    RegionCode::parse(text).unwrap()
}

/// Rules of Yangshan County from 2024 on.
pub fn draft() -> RuleSetDraft {
    let deadline = |step: &Step| Deadline { step: *step, days: 3, kind: DayKind::Working, emergency_days: 7 };
    let category = |code: &str, condition: &str| Category {
        code: code.to_owned(),
        name: code.to_owned(),
        condition: condition.to_owned(),
    };
    RuleSetDraft {
        name: "rules".to_owned(),
        region: region("441823000000"),
        effective_from: day("2024-01-01"),
        effective_until: None,
        lines: vec![Line { year: 2025, fen: 720_000 }, Line { year: 2024, fen: 700_000 }],
        categories: vec![category("unstable", "lifted_from_poverty"), category("odd", "wages / elderly > 0")],
        deadlines: Step::ALL.iter().map(deadline).collect(),
        notice_min_days: 5,
        removal: Removal {
            min_months: 6,
            stable_months: 6,
            condition: "per_capita_net_income > line && water_safe".to_owned(),
        },
        rules: vec![ScreeningRule {
            number: 7,
            name: "income".to_owned(),
            cause: Risk::Other,
            expression: "per_capita_net_income < line".to_owned(),
            message: "{yuan(line)}".to_owned(),
        }],
    }
}

pub fn compiled(draft: RuleSetDraft) -> RuleSet {
    RuleSet::compile(RuleSetId(Uuid::nil()), draft, DateTime::UNIX_EPOCH).unwrap()
}

/// A household lifted out of poverty, with 7,100 yuan per head in the year up to a day.
fn earning_7100(window_ends_on: &str) -> Profile {
    Profile {
        composition: Composition { persons: 2, ..Composition::default() },
        lifted_from_poverty: true,
        support: SocialSupport::None,
        monitored: true,
        newest: Newest {
            window_ends_on: day(window_ends_on),
            wages: 1_420_000,
            business: 0,
            property: 0,
            transfer: 0,
            business_expense: 0,
            out_of_pocket: 0,
            insurance_received: 0,
            net_income: 1_420_000,
            per_capita_net_income: 710_000,
            previous_per_capita_net_income: None,
            loss: 0,
            schooling_guaranteed: true,
            medical_guaranteed: true,
            housing_grade: HousingGrade::A,
            water_safe: true,
            shocks: BTreeSet::new(),
        },
    }
}

#[test]
fn the_line_of_a_year_holds_until_another_is_stated() {
    let rules = compiled(draft());
    let lines = [2023, 2024, 2025, 2030].map(|year| rules.line(year));
    assert_eq!(lines, [None, Some(700_000), Some(720_000), Some(720_000)]);
}

#[test]
fn a_household_is_judged_by_the_line_of_the_year_in_which_its_window_ends() {
    let rules = compiled(draft());
    let hit = |window: &str| {
        let inputs = rules.inputs(&earning_7100(window));
        rules.rule(7).unwrap().condition.eval_bool(&inputs).unwrap()
    };
    assert_eq!((hit("2023-12-31"), hit("2024-12-31"), hit("2025-01-31")), (false, false, true));
    assert!(rules.rule(8).is_none());
}

#[test]
fn a_removal_is_judged_by_the_line_of_its_own_year() {
    let rules = compiled(draft());
    let profile = earning_7100("2024-12-31");
    assert_eq!(rules.removal_condition_is_met(&profile, day("2024-12-31")), Ok(true));
    assert_eq!(rules.removal_condition_is_met(&profile, day("2025-01-01")), Ok(false));
    let mut thirsty = profile;
    thirsty.newest.water_safe = false;
    assert_eq!(rules.removal_condition_is_met(&thirsty, day("2024-12-31")), Ok(false));
}

#[test]
fn a_household_is_of_a_category_whose_condition_it_meets() {
    let rules = compiled(draft());
    let profile = earning_7100("2024-12-31");
    assert_eq!(rules.category_is_met("unstable", &profile), Ok(true));
    assert_eq!(
        rules.category_is_met("unstable", &Profile { lifted_from_poverty: false, ..profile.clone() }),
        Ok(false)
    );
    assert_eq!(rules.category_is_met("unheard_of", &profile), Ok(false));
    assert_eq!(rules.category_is_met("odd", &profile), Err(EvalError::DivisionByZero));
}

#[test]
fn a_step_has_its_deadline() {
    let mut draft = draft();
    draft.deadlines[2] = Deadline { days: 9, kind: DayKind::Calendar, emergency_days: 20, ..draft.deadlines[2] };
    let rules = compiled(draft);
    assert_eq!(rules.deadline(Step::DataComparison), (9, DayKind::Calendar, 20));
    assert_eq!(rules.deadline(Step::CountyApproval), (3, DayKind::Working, 7));
}

#[test]
fn of_several_rule_sets_the_nearest_then_the_newest_holds() {
    let of = |code: &str, from: &str, until: Option<&str>| {
        let dates = (day(from), until.map(day));
        compiled(RuleSetDraft {
            region: region(code),
            effective_from: dates.0,
            effective_until: dates.1,
            lines: (2020..=2030).map(|year| Line { year, fen: 1 }).collect(),
            ..draft()
        })
    };
    let sets = [
        of("440000000000", "2024-01-01", None),
        of("441823000000", "2023-01-01", None),
        of("441823000000", "2025-01-01", Some("2026-01-01")),
        of("441825000000", "2024-01-01", None),
    ];
    let holds = |on: &str, village: &str| {
        let book = RuleBook::new(sets.clone(), day(on));
        book.of(region(village)).map(|set| (set.region.to_string(), set.effective_from.to_string()))
    };
    let named = |code: &str, from: &str| Some((code.to_owned(), from.to_owned()));
    assert_eq!(holds("2024-12-31", "441823107201"), named("441823000000", "2023-01-01"));
    assert_eq!(holds("2025-01-01", "441823107201"), named("441823000000", "2025-01-01"));
    assert_eq!(holds("2025-12-31", "441823107201"), named("441823000000", "2025-01-01"));
    assert_eq!(holds("2026-01-01", "441823107201"), named("441823000000", "2023-01-01"));
    assert_eq!(holds("2025-06-01", "441802001001"), named("440000000000", "2024-01-01"));
    assert_eq!(holds("2022-12-31", "441823107201"), None);
}
