//! Observations of each household, consistent with its stories.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, Result};
use chrono::{Datelike as _, NaiveDate};
use tongxin_proto::monitoring::v1::{
    Disaster, HouseholdDraft, HousingGrade, ObservationDraft, Risk, Shock, SocialSupport,
};

use super::stories::Story;
use crate::sample::{chance::Chance, files::Files};

const YUAN: i64 = 100;

/// Observations of windows that end with the years from the beginning of the assistance to the published figures, and
/// of further windows that stories need, oldest first.
pub fn of(
    files: &Files,
    households: &[HouseholdDraft],
    stories: &[Story],
    lines: &BTreeMap<i32, i64>,
) -> Result<Vec<ObservationDraft>> {
    let mut chance = Chance::of(files.manifest.seed, "observations");
    let mut of_household: HashMap<usize, Vec<&Story>> = HashMap::new();
    for story in stories {
        of_household.entry(story.household).or_default().push(story);
    }
    let years = files.manifest.register_effective_from.year()..=files.manifest.as_of.year();
    let mut observations = Vec::new();
    for (place, household) in households.iter().enumerate() {
        let stories = of_household.remove(&place).unwrap_or_default();
        let ends_of_years = years.clone().filter_map(|year| NaiveDate::from_ymd_opt(year, 12, 31));
        let asked = stories.iter().flat_map(|story| [Some(story.bad_window()), story.good_window()]).flatten();
        let mut windows: Vec<NaiveDate> = ends_of_years.chain(asked).collect();
        windows.sort_unstable();
        windows.dedup();
        for window in windows {
            let line = line(lines, window.year())?;
            let at_risk = stories.iter().find(|story| story.bad_window() == window);
            observations.push(observation(&mut chance, household, window, line, at_risk.copied()));
        }
    }
    observations.sort_by_key(window_of);
    Ok(observations)
}

fn window_of(observation: &ObservationDraft) -> Option<NaiveDate> {
    observation.window_ends_on.and_then(|day| day.try_into().ok())
}

/// The line of a year, or else the first one.
fn line(lines: &BTreeMap<i32, i64>, year: i32) -> Result<i64> {
    let known = lines.range(..=year).next_back().or_else(|| lines.iter().next());
    Ok(*known.context("the rule set has no monitoring line")?.1)
}

fn observation(
    chance: &mut Chance,
    household: &HouseholdDraft,
    window: NaiveDate,
    line: i64,
    story: Option<&Story>,
) -> ObservationDraft {
    let persons = i64::try_from(household.members.len()).unwrap_or(1);
    // In hundredths of the line: half to nine tenths at risk, 1.6 to 4 times otherwise.
    let hundredths = match story {
        Some(_) => 50 + chance.below(40),
        None => 160 + chance.below(240),
    };
    let per_capita = line * i64::try_from(hundredths).unwrap_or(100) / 100;
    let total = per_capita * persons;
    let transfer = if household.support() == SocialSupport::None { 600 * YUAN } else { 4_800 * YUAN }.min(total);
    let property = (300 * YUAN).min(total - transfer);
    let earned = total - transfer - property;
    let business = earned * i64::try_from(10 + chance.below(40)).unwrap_or(10) / 100;
    let business_expense = business / 4;
    let risks = story.map_or(&[][..], |story| &story.risks);
    let is_ill = risks.contains(&Risk::Illness) || risks.contains(&Risk::Accident);
    let out_of_pocket = if is_ill { 18_000 * YUAN } else { 200 * YUAN };
    ObservationDraft {
        household_number: household.household_number.clone(),
        window_ends_on: Some(window.into()),
        wages_fen: earned - business + business_expense,
        business_fen: business,
        property_fen: property,
        transfer_fen: transfer,
        business_expense_fen: business_expense,
        out_of_pocket_fen: out_of_pocket,
        insurance_received_fen: if is_ill { 6_000 * YUAN } else { 0 },
        schooling_guaranteed: true,
        medical_guaranteed: true,
        housing_grade: HousingGrade::A.into(),
        water_safe: true,
        shocks: risks.iter().filter_map(|risk| shock(*risk)).collect(),
        ..ObservationDraft::default()
    }
}

fn shock(risk: Risk) -> Option<Shock> {
    let (disaster, loss) = match risk {
        Risk::NaturalDisaster => (Disaster::Flood, 15_000),
        Risk::Accident => (Disaster::Unspecified, 20_000),
        Risk::BusinessFailure => (Disaster::Unspecified, 8_000),
        _ => return None,
    };
    Some(Shock { cause: risk.into(), disaster: disaster.into(), loss_fen: loss * YUAN })
}
