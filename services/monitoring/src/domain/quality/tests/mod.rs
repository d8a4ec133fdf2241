//! Each rule finds its defect, and nothing that only comes close to it.

mod fixtures;

use std::collections::BTreeSet;

use fixtures::{fixtures, sound};

use super::*;

const NOTHING: [i16; 0] = [];

fn found(dossier: &Dossier) -> Vec<i16> {
    check(dossier).map(|rule| rule.number).collect()
}

#[test]
fn nothing_is_wrong_with_a_sound_household() {
    assert_eq!(found(&sound()), NOTHING);
}

#[test]
fn every_rule_has_a_fixture_that_it_hits_and_one_that_it_misses() {
    let numbers: Vec<i16> = rules().map(|rule| rule.number).collect();
    let with_fixtures: Vec<i16> = fixtures().map(|fixture| fixture.rule).collect();
    assert_eq!(with_fixtures, numbers);
}

#[test]
fn each_fixture_is_hit_by_its_rule_alone() {
    for fixture in fixtures() {
        let mut dossier = sound();
        (fixture.hit)(&mut dossier);
        assert_eq!(found(&dossier), [fixture.rule], "the fixture of rule {}", fixture.rule);
    }
}

#[test]
fn what_comes_close_to_a_fault_is_none() {
    for fixture in fixtures() {
        let mut dossier = sound();
        (fixture.miss)(&mut dossier);
        assert_eq!(found(&dossier), NOTHING, "the near miss of rule {}", fixture.rule);
    }
}

#[test]
fn a_job_without_wages_is_found_after_removal_too() {
    let mut dossier = sound();
    let job = fixtures().find(|fixture| fixture.rule == 703).unwrap();
    (job.hit)(&mut dossier);
    let case = dossier.case.as_mut().unwrap();
    case.removed_on = "2025-03-31".parse().ok();
    assert_eq!(found(&dossier), [703]);
}

#[test]
fn numbers_rise_and_names_are_given_once() {
    let numbers: Vec<i16> = rules().map(|rule| rule.number).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    assert!(numbers.iter().all(|number| (1..1000).contains(number)));
    let names: BTreeSet<&str> = rules().flat_map(|rule| [rule.name_zh, rule.name_en]).collect();
    assert_eq!(names.len(), 2 * numbers.len());
}

#[test]
fn an_entry_is_refused_by_what_cannot_be_and_warned_of_what_hardly_can() {
    let mut dossier = sound();
    for fixture in fixtures().filter(|fixture| [104, 206].contains(&fixture.rule)) {
        (fixture.hit)(&mut dossier);
    }
    let findings = at_entry(&dossier);
    let numbers = |rules: &[&Rule]| rules.iter().map(|rule| rule.number).collect::<Vec<_>>();
    assert_eq!((numbers(&findings.refused), numbers(&findings.warned)), (vec![206], vec![104]));
    let refused = findings.accept().unwrap_err();
    assert_eq!(refused.to_string(), "data-quality rule 206: under 6, and at work (未满6周岁却有工作)");
}

#[test]
fn what_is_not_in_a_dossier_is_not_held_against_the_household() {
    let mut dossier = sound();
    dossier.members.clear();
    dossier.newest = None;
    dossier.line = None;
    dossier.observable_since = None;
    assert_eq!(at_entry(&dossier).accept().unwrap(), Vec::<i32>::new());
}

#[test]
fn what_was_wrong_already_does_not_keep_a_household_from_being_changed() {
    let (sound, mut worse) = (sound(), sound());
    let works_at_five = fixtures().find(|fixture| fixture.rule == 206).unwrap();
    (works_at_five.hit)(&mut worse);
    assert_eq!(at_change(&sound, &worse).unwrap_err().0.number, 206);
    assert_eq!(at_change(&worse, &worse).unwrap(), [206]);
    assert!(at_change(&worse, &sound).is_ok());
}
