//! Converts stories to commands, each by the person responsible.

use chrono::NaiveDate;
use tongxin_proto::monitoring::v1::{
    CaseDraft, HouseholdDraft, MeasureDraft, MeasurePlan, MeasureResult, RemovalKind, RemovalProposal, Step,
    StepRecord, case_command::Command,
};
use uuid::Uuid;

use super::stories::{Ending, Story, family};
use crate::sample::{chance::Chance, files::Files};

/// A command about a household, which still lacks the identifier assigned by the service.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Index of the household.
    pub household: usize,
    pub command: Command,
}

/// The steps, and how many days each takes after the previous one.
const STEPS: [(Step, u64); 8] = [
    (Step::Authorisation, 0),
    (Step::HomeVerification, 1),
    (Step::DataComparison, 1),
    (Step::DemocraticReview, 1),
    (Step::NoticePosted, 1),
    (Step::NoticeEnded, 6),
    (Step::TownReview, 1),
    (Step::CountyApproval, 1),
];

/// All commands, story by story.
pub fn of(files: &Files, households: &[HouseholdDraft], stories: &[Story]) -> Vec<Entry> {
    let mut chance = Chance::of(files.manifest.seed, "measures");
    let mut entries = Vec::new();
    for story in stories {
        let region = &households[story.household].region_code;
        let mut told = Telling { files, story, region, chance: &mut chance, commands: Vec::new() };
        told.tell();
        entries.extend(told.commands.into_iter().map(|command| Entry { household: story.household, command }));
    }
    entries
}

pub fn case_id(files: &Files, story: &Story) -> String {
    files.id(&format!("cases/{}", story.number))
}

struct Telling<'sample> {
    files: &'sample Files,
    story: &'sample Story,
    region: &'sample str,
    chance: &'sample mut Chance,
    commands: Vec<Command>,
}

impl Telling<'_> {
    fn tell(&mut self) {
        let Story { opened_on, ending, .. } = *self.story;
        let opener = self.village("cadre");
        self.commands.push(Command::OpenCase(CaseDraft {
            case_id: self.case(),
            household_id: Uuid::nil().to_string(),
            category: self.story.category.to_owned(),
            risks: self.story.risks.iter().map(|risk| (*risk).into()).collect(),
            opened_on: Some(opened_on.into()),
            performed_by: opener,
            ..CaseDraft::default()
        }));
        match ending {
            Ending::Refused(step) => {
                self.steps(opened_on, Some(step));
            }
            Ending::Removed { proposed_on } => {
                let identified_on = self.steps(opened_on, None);
                self.measures(identified_on, proposed_on);
                self.commands.push(Command::ProposeRemoval(RemovalProposal {
                    case_id: self.case(),
                    kind: RemovalKind::Assisted.into(),
                    proposed_on: Some(proposed_on.into()),
                    performed_by: self.village("cadre"),
                    expected_version: 0,
                }));
                self.steps(proposed_on, None);
            }
        }
    }

    /// All steps, or those up to the refused one; returns the day of the last.
    fn steps(&mut self, from: NaiveDate, refused_at: Option<Step>) -> NaiveDate {
        let mut day = from;
        for (step, days) in STEPS {
            day = Story::after(day, days);
            let is_refused = refused_at == Some(step);
            self.commands.push(Command::RecordStep(StepRecord {
                case_id: self.case(),
                step: step.into(),
                refused: is_refused,
                reason: if is_refused { "不符合监测对象条件".to_owned() } else { String::new() },
                occurred_on: Some(day.into()),
                performed_by: self.performer(step),
                expected_version: 0,
            }));
            if is_refused {
                break;
            }
        }
        day
    }

    /// A measure against each risk, done before removal is proposed.
    fn measures(&mut self, identified_on: NaiveDate, proposed_on: NaiveDate) {
        for (place, risk) in self.story.risks.iter().enumerate() {
            let measure_id = self.files.id(&format!("cases/{}/measures/{place}", self.story.number));
            let planned_on = Story::after(identified_on, 5);
            let finished_on = Story::after(planned_on, 30 + u64::try_from(self.chance.below(60)).unwrap_or(0));
            let fen = 100_000 * i64::try_from(1 + self.chance.below(8)).unwrap_or(1);
            self.commands.push(Command::PlanMeasure(MeasurePlan {
                measure_id: measure_id.clone(),
                case_id: self.case(),
                measure: Some(MeasureDraft {
                    risk: (*risk).into(),
                    family: family(*risk).into(),
                    owner: self.village("cadre"),
                    planned_on: Some(planned_on.into()),
                    due_on: Some(Story::after(planned_on, 120).into()),
                    planned_fen: fen,
                }),
            }));
            self.commands.push(Command::FinishMeasure(MeasureResult {
                measure_id,
                cancelled: false,
                outcome: "已落实".to_owned(),
                finished_on: Some(finished_on.min(proposed_on).into()),
                spent_fen: fen,
            }));
        }
    }

    /// The person responsible for a step, never the proposer.
    fn performer(&self, step: Step) -> String {
        match step {
            Step::TownReview => format!("town-{}", &self.region[..9]),
            Step::CountyApproval => format!("county-{}", &self.region[..6]),
            Step::HomeVerification | Step::DataComparison => format!("verifier-{}", &self.region[..9]),
            _ => self.village("committee"),
        }
    }

    fn village(&self, role: &str) -> String {
        format!("{role}-{}", self.region)
    }

    fn case(&self) -> String {
        case_id(self.files, self.story)
    }
}
