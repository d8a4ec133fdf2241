//! Warnings of departments, and the decisions on them: one in some was right.

use chrono::NaiveDate;
use tongxin_proto::monitoring::v1::{Department, HouseholdDraft, Risk, Warning};

use super::{
    commands::case_id,
    stories::{Ending, Story},
};
use crate::sample::{chance::Chance, files::Files};

#[derive(Debug, Clone)]
pub struct Submission {
    pub department: Department,
    pub warnings: Vec<Warning>,
}

/// The decision on a household's signal.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Index of the household.
    pub household: usize,
    pub cause: Risk,
    pub verified: bool,
    pub reason: &'static str,
    pub decided_on: NaiveDate,
    /// The case that was opened for it.
    pub case_id: Option<String>,
}

/// Number of refuted warnings per verified one.
const WRONG_FOR_EACH_RIGHT: usize = 4;

/// All warnings by department, and the decision on each.
pub fn of(files: &Files, households: &[HouseholdDraft], stories: &[Story]) -> (Vec<Submission>, Vec<Decision>) {
    let mut sent = Sent { files, households, submissions: Vec::new(), decisions: Vec::new(), count: 0 };
    for story in stories {
        let Some(department) = story.warned_by else { continue };
        let warned_on = story.opened_on - chrono::Days::new(12);
        sent.warn(department, story.household, story.risks[0], warned_on);
        sent.decisions.push(Decision {
            household: story.household,
            cause: story.risks[0],
            verified: true,
            reason: "入户核查属实",
            decided_on: story.opened_on,
            case_id: matches!(story.ending, Ending::Removed { .. }).then(|| case_id(files, story)),
        });
    }
    sent.wrong(stories);
    (sent.submissions, sent.decisions)
}

struct Sent<'sample> {
    files: &'sample Files,
    households: &'sample [HouseholdDraft],
    submissions: Vec<Submission>,
    decisions: Vec<Decision>,
    count: usize,
}

impl Sent<'_> {
    fn warn(&mut self, department: Department, household: usize, cause: Risk, occurred_on: NaiveDate) {
        self.count += 1;
        let warning = Warning {
            id_number: self.households[household].members[0].id_number.clone(),
            cause: cause.into(),
            occurred_on: Some(occurred_on.into()),
            reference: format!("YJ{:06}", self.count),
            region_code: self.households[household].region_code.clone(),
        };
        match self.submissions.iter_mut().find(|submission| submission.department == department) {
            Some(submission) => submission.warnings.push(warning),
            None => self.submissions.push(Submission { department, warnings: vec![warning] }),
        }
    }

    /// Warnings of households that were never at risk.
    fn wrong(&mut self, stories: &[Story]) {
        let mut chance = Chance::of(self.files.manifest.seed, "warnings");
        let at_risk: std::collections::HashSet<usize> = stories.iter().map(|story| story.household).collect();
        let quiet = chance.mixed(self.households.len()).into_iter().filter(|place| !at_risk.contains(place));
        let wanted = self.count * WRONG_FOR_EACH_RIGHT;
        let (first, last) = (self.files.manifest.register_effective_from, self.files.manifest.as_of);
        for household in quiet.take(wanted) {
            let (department, cause) = chance.pick(&[
                (Department::MedicalInsurance, Risk::Illness),
                (Department::MedicalInsurance, Risk::Illness),
                (Department::CivilAffairs, Risk::LackOfLabour),
                (Department::Education, Risk::Schooling),
                (Department::DisabledPersonsFederation, Risk::Disability),
                (Department::HumanResources, Risk::UnstableEmployment),
                (Department::EmergencyManagement, Risk::NaturalDisaster),
                (Department::Housing, Risk::Housing),
            ]);
            let warned_on = chance.day(first, last - chrono::Days::new(10));
            self.warn(department, household, cause, warned_on);
            self.decisions.push(Decision {
                household,
                cause,
                verified: false,
                reason: "入户核查，无返贫致贫风险",
                decided_on: warned_on + chrono::Days::new(8),
                case_id: None,
            });
        }
    }
}
