//! Stories: who was at risk, when, of what, and the measures.

use anyhow::{Result, ensure};
use chrono::{Datelike as _, Days, NaiveDate};
use tongxin_proto::monitoring::v1::{Department, HouseholdDraft, MeasureFamily, Risk, Step};

use super::households::is_labour;
use crate::sample::{chance::Chance, files::Files};

/// A household at risk, and the outcome.
#[derive(Debug, Clone)]
pub struct Story {
    /// Index of the household.
    pub household: usize,
    /// Number of the case, from 0.
    pub number: usize,
    pub risks: Vec<Risk>,
    /// Code of the category.
    pub category: &'static str,
    pub opened_on: NaiveDate,
    pub ending: Ending,
    /// The department that had warned, if any.
    pub warned_by: Option<Department>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Refused(Step),
    Removed { proposed_on: NaiveDate },
}

/// The first year with cases, and the percentage of all cases in each year from then on.
const FIRST_YEAR: i32 = 2021;
const SHARES: [usize; 5] = [28, 24, 22, 20, 6];

/// One in so many stories is refused before monitoring.
const REFUSED_ONE_IN: usize = 15;

/// One in so many households relapses.
const RELAPSED_ONE_IN: usize = 75;

/// As many stories with removal as the manifest says, and some refused ones.
pub fn of(files: &Files, households: &[HouseholdDraft]) -> Result<Vec<Story>> {
    let wanted = files.manifest.cases;
    let mut chance = Chance::of(files.manifest.seed, "stories");
    let can_leave = |place: &usize| households[*place].members.iter().any(|member| is_labour(member.labour()));
    let mut places = chance.mixed(households.len()).into_iter().filter(can_leave);
    let mut stories = Vec::with_capacity(wanted + wanted / REFUSED_ONE_IN);
    let mut removed = 0;
    while removed < wanted {
        let Some(place) = places.next() else { break };
        let is_refused = stories.len() % REFUSED_ONE_IN == REFUSED_ONE_IN - 1;
        let year = year_of(removed, wanted);
        let story = Story::new(&mut chance, (place, stories.len()), &households[place], year, is_refused);
        removed += usize::from(!is_refused);
        // Households whose first case was long ago can relapse.
        let again = (!is_refused && year == FIRST_YEAR && removed % RELAPSED_ONE_IN == 0 && removed < wanted)
            .then(|| Story::new(&mut chance, (place, stories.len() + 1), &households[place], year + 2, false));
        stories.push(story);
        removed += usize::from(again.is_some());
        stories.extend(again);
    }
    ensure!(removed == wanted, "the sample has too few households that could leave monitoring for {wanted} cases");
    stories.sort_by_key(|story| (story.opened_on, story.number));
    Ok(stories)
}

/// The year of a case by its index among all.
fn year_of(place: usize, all: usize) -> i32 {
    let mut reached = 0;
    for (share, year) in SHARES.into_iter().zip(FIRST_YEAR..) {
        reached += share;
        if place * 100 < all * reached {
            return year;
        }
    }
    FIRST_YEAR + 4
}

impl Story {
    fn new(
        chance: &mut Chance,
        (household, number): (usize, usize),
        draft: &HouseholdDraft,
        year: i32,
        is_refused: bool,
    ) -> Self {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
        // The last cases of the year have to be removed before it ends.
        let last_to_open = if year == FIRST_YEAR + 4 { day(year, 2, 20) } else { day(year, 6, 30) };
        let opened_on = chance.day(day(year, 1, 15), last_to_open);
        let ending = if is_refused {
            Ending::Refused(chance.pick(&[Step::HomeVerification, Step::DataComparison, Step::DemocraticReview]))
        } else if year == FIRST_YEAR + 4 {
            Ending::Removed { proposed_on: chance.day(day(year, 10, 9), day(year, 11, 14)) }
        } else {
            Ending::Removed { proposed_on: chance.day(day(year + 1, 1, 20), day(year + 1, 6, 10)) }
        };
        let risks = risks(chance);
        let category = match (risks[0], draft.lifted_from_poverty) {
            (Risk::NaturalDisaster | Risk::Accident, _) => "hardship",
            (_, true) => "unstable",
            (_, false) => "marginal",
        };
        let warned_by = (chance.below(3) == 0).then(|| department(risks[0]));
        Self { household, number, risks, category, opened_on, ending, warned_by }
    }

    /// The last window with too little income: the year before.
    pub fn bad_window(&self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.opened_on.year() - 1, 12, 31).unwrap_or_default()
    }

    /// The end of the first window with enough income again.
    pub fn good_window(&self) -> Option<NaiveDate> {
        let Ending::Removed { proposed_on } = self.ending else { return None };
        let month =
            if proposed_on.month() >= 10 { (proposed_on.year(), 9, 30) } else { (proposed_on.year() - 1, 12, 31) };
        NaiveDate::from_ymd_opt(month.0, month.1, month.2)
    }

    pub fn after(day: NaiveDate, days: u64) -> NaiveDate {
        day.checked_add_days(Days::new(days)).unwrap_or(day)
    }
}

fn risks(chance: &mut Chance) -> Vec<Risk> {
    const FREQUENT: [Risk; 10] = [
        Risk::Illness,
        Risk::Illness,
        Risk::Illness,
        Risk::Schooling,
        Risk::UnstableEmployment,
        Risk::UnstableEmployment,
        Risk::LackOfLabour,
        Risk::NaturalDisaster,
        Risk::Accident,
        Risk::BusinessFailure,
    ];
    let first = chance.pick(&FREQUENT);
    let second = chance.pick(&FREQUENT);
    if second == first || chance.below(4) > 0 { vec![first] } else { vec![first, second] }
}

/// The department that hears of a risk first.
fn department(risk: Risk) -> Department {
    match risk {
        Risk::Illness => Department::MedicalInsurance,
        Risk::Schooling => Department::Education,
        Risk::Disability => Department::DisabledPersonsFederation,
        Risk::NaturalDisaster | Risk::Accident => Department::EmergencyManagement,
        Risk::UnstableEmployment => Department::HumanResources,
        Risk::Housing => Department::Housing,
        Risk::Water => Department::Water,
        Risk::BusinessFailure => Department::Agriculture,
        Risk::LackOfLabour | Risk::Other | Risk::Unspecified => Department::CivilAffairs,
    }
}

/// The measure family against a risk.
pub fn family(risk: Risk) -> MeasureFamily {
    match risk {
        Risk::Illness | Risk::Disability => MeasureFamily::Health,
        Risk::Schooling => MeasureFamily::OtherEducation,
        Risk::NaturalDisaster | Risk::Accident => MeasureFamily::SocialSupport,
        Risk::BusinessFailure => MeasureFamily::Industry,
        Risk::UnstableEmployment => MeasureFamily::Employment,
        Risk::LackOfLabour => MeasureFamily::ComprehensiveSecurity,
        Risk::Housing => MeasureFamily::Housing,
        Risk::Water => MeasureFamily::Water,
        Risk::Other | Risk::Unspecified => MeasureFamily::LivingConditions,
    }
}
