//! Properties of the sample's households for every random choice.

use std::collections::{BTreeMap, HashMap, HashSet};

use tongxin_proto::monitoring::v1::{Relation, case_command::Command};

use super::{stories::Ending, *};
use crate::sample::files::SampleName;

fn files() -> Files {
    Files::of(SampleName::Qingyuan2025).unwrap()
}

#[test]
fn no_two_people_share_a_number() {
    let households = households::of(&files()).unwrap();
    let numbers: Vec<_> =
        households.iter().flat_map(|household| &household.members).map(|member| &member.id_number).collect();
    assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), numbers.len());
    let is_headed = |household: &HouseholdDraft| {
        household.members.iter().filter(|member| member.relation() == Relation::Head).count() == 1
    };
    assert!(households.iter().all(is_headed));
}

#[test]
fn as_many_cases_end_with_removal_as_the_manifest_says() {
    let files = files();
    let stories = stories::of(&files, &households::of(&files).unwrap()).unwrap();
    let removed = stories.iter().filter(|story| matches!(story.ending, Ending::Removed { .. })).count();
    assert_eq!(removed, files.manifest.cases);
    assert!(stories.len() > removed, "some were refused");
    let last = stories.iter().map(|story| match story.ending {
        Ending::Removed { proposed_on } => proposed_on,
        Ending::Refused(_) => story.opened_on,
    });
    assert!(last.max().unwrap() < files.manifest.as_of, "all is over before the day of the figures");
}

#[test]
fn a_household_is_at_risk_again_only_after_its_removal() {
    let files = files();
    let stories = stories::of(&files, &households::of(&files).unwrap()).unwrap();
    let mut over: HashMap<usize, chrono::NaiveDate> = HashMap::new();
    let mut again = 0;
    for story in &stories {
        if let Some(earlier) = over.get(&story.household) {
            assert!(story.opened_on > *earlier + chrono::Days::new(20), "{story:?}");
            again += 1;
        }
        if let Ending::Removed { proposed_on } = story.ending {
            over.insert(story.household, proposed_on);
        }
    }
    assert!(again > 0);
}

#[test]
fn a_case_goes_step_by_step_and_nobody_verifies_what_he_proposed() {
    let files = files();
    let households = households::of(&files).unwrap();
    let stories = stories::of(&files, &households).unwrap();
    let mut proposer: HashMap<String, String> = HashMap::new();
    let mut day: HashMap<String, chrono::NaiveDate> = HashMap::new();
    for entry in commands::of(&files, &households, &stories) {
        match entry.command {
            Command::OpenCase(draft) => {
                proposer.insert(draft.case_id, draft.performed_by);
            }
            Command::ProposeRemoval(removal) => {
                proposer.insert(removal.case_id, removal.performed_by);
            }
            Command::RecordStep(step) => {
                let on: chrono::NaiveDate = step.occurred_on.unwrap().try_into().unwrap();
                assert_ne!(proposer[&step.case_id], step.performed_by);
                assert!(day.insert(step.case_id, on).is_none_or(|before| before <= on));
            }
            Command::PlanMeasure(_) | Command::FinishMeasure(_) => {}
        }
    }
}

#[test]
fn as_many_villages_are_above_each_tier_as_were_published() {
    let files = files();
    let mut totals: BTreeMap<String, i64> = BTreeMap::new();
    for income in incomes::of(&files).unwrap() {
        if income.year == 2025 {
            totals.insert(income.region_code, income.amounts.iter().map(|amount| amount.amount_fen).sum());
        }
    }
    for (indicator, yuan) in [
        ("villages_income_over_100k", 100_000),
        ("villages_income_over_500k", 500_000),
        ("villages_income_over_1m", 1_000_000),
    ] {
        let above = totals.values().filter(|total| **total > yuan * 100).count();
        assert_eq!(above, files.count(indicator).unwrap(), "{indicator}");
    }
}
