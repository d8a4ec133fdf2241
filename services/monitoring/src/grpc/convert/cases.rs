//! Messages of CaseService.

use chrono::NaiveDate;
use tongxin_platform::page::Page;
use tongxin_proto::{monitoring::v1, names::Named as _};
use uuid::Uuid;

use super::{date, named, optional_region, uuid};
use crate::{
    commands::{
        About, CaseCommand, FinishMeasure, OpenCase, PlanMeasure, ProposeRemoval, RecordStep, RollBackRemoval,
        WithWarnings,
    },
    domain::{
        CaseId, HouseholdId, MeasureId, SignalId,
        case::{Case, CaseDraft, Emergency, Entry, Fact, StageName, StepRecord},
        case_file::CaseFile,
        measure::{Ending, Measure, MeasureDraft, MeasureState},
        procedure::Step,
        risk::Risk,
    },
    error::Error,
    store::cases::{DayKey, Filter, Overdue},
};

pub(in crate::grpc) fn case_id(text: &str) -> Result<CaseId, Error> {
    uuid("case_id", text).map(CaseId)
}

fn measure_id(text: &str) -> Result<MeasureId, Error> {
    uuid("measure_id", text).map(MeasureId)
}

/// The performer; empty means the caller.
fn performer(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl TryFrom<v1::CaseDraft> for OpenCase {
    type Error = Error;

    fn try_from(draft: v1::CaseDraft) -> Result<Self, Error> {
        let risks = draft.risks.iter().map(|risk| named::<Risk>("risks", *risk));
        let signals = draft.signal_ids.iter().map(|id| uuid("signal_ids", id).map(SignalId));
        Ok(Self {
            draft: CaseDraft {
                id: case_id(&draft.case_id)?,
                household: uuid("household_id", &draft.household_id).map(HouseholdId)?,
                category: draft.category,
                risks: risks.collect::<Result<_, _>>()?,
                risk_remark: draft.risk_remark,
                emergency: Emergency::read(draft.emergency),
                opened_on: date("opened_on", draft.opened_on)?,
                signals: signals.collect::<Result<_, _>>()?,
            },
            performed_by: performer(&draft.performed_by),
        })
    }
}

impl TryFrom<v1::StepRecord> for RecordStep {
    type Error = Error;

    fn try_from(step: v1::StepRecord) -> Result<Self, Error> {
        Ok(Self {
            case: case_id(&step.case_id)?,
            record: StepRecord {
                step: named::<Step>("step", step.step)?,
                refused: step.refused,
                reason: step.reason,
                occurred_on: date("occurred_on", step.occurred_on)?,
                performed_by: String::new(),
            },
            performed_by: performer(&step.performed_by),
            expected_version: step.expected_version,
        })
    }
}

impl TryFrom<v1::RemovalProposal> for ProposeRemoval {
    type Error = Error;

    fn try_from(removal: v1::RemovalProposal) -> Result<Self, Error> {
        Ok(Self {
            case: case_id(&removal.case_id)?,
            kind: named("kind", removal.kind)?,
            proposed_on: date("proposed_on", removal.proposed_on)?,
            performed_by: performer(&removal.performed_by),
            expected_version: removal.expected_version,
        })
    }
}

impl TryFrom<v1::RollBackRemovalRequest> for RollBackRemoval {
    type Error = Error;

    fn try_from(request: v1::RollBackRemovalRequest) -> Result<Self, Error> {
        Ok(Self {
            case: case_id(&request.case_id)?,
            reason: request.reason,
            occurred_on: date("occurred_on", request.occurred_on)?,
            expected_version: request.expected_version,
        })
    }
}

impl TryFrom<v1::MeasurePlan> for PlanMeasure {
    type Error = Error;

    fn try_from(plan: v1::MeasurePlan) -> Result<Self, Error> {
        let draft = plan.measure.unwrap_or_default();
        Ok(Self {
            measure: measure_id(&plan.measure_id)?,
            case: case_id(&plan.case_id)?,
            draft: MeasureDraft {
                risk: named("measure.risk", draft.risk)?,
                family: named("measure.family", draft.family)?,
                owner: draft.owner,
                planned_on: date("measure.planned_on", draft.planned_on)?,
                due_on: date("measure.due_on", draft.due_on)?,
                planned_fen: draft.planned_fen,
            },
        })
    }
}

impl TryFrom<v1::MeasureResult> for FinishMeasure {
    type Error = Error;

    fn try_from(result: v1::MeasureResult) -> Result<Self, Error> {
        Ok(Self {
            measure: measure_id(&result.measure_id)?,
            cancelled: result.cancelled,
            ending: Ending {
                on: date("finished_on", result.finished_on)?,
                outcome: result.outcome,
                spent_fen: result.spent_fen,
            },
        })
    }
}

impl TryFrom<v1::CaseCommand> for CaseCommand {
    type Error = Error;

    fn try_from(command: v1::CaseCommand) -> Result<Self, Error> {
        use v1::case_command::Command;

        match command.command {
            Some(Command::OpenCase(draft)) => draft.try_into().map(Self::Open),
            Some(Command::RecordStep(step)) => step.try_into().map(Self::Step),
            Some(Command::ProposeRemoval(removal)) => removal.try_into().map(Self::Propose),
            Some(Command::PlanMeasure(plan)) => plan.try_into().map(Self::Plan),
            Some(Command::FinishMeasure(result)) => result.try_into().map(Self::Finish),
            None => Err(Error::field("command", "is required")),
        }
    }
}

/// The subject of a command, even if the rest of it cannot be parsed.
pub(in crate::grpc) fn about(command: &v1::CaseCommand) -> About {
    use v1::case_command::Command;

    let case = |text: &str| Uuid::try_parse(text).ok().map(CaseId);
    let measure = |text: &str| Uuid::try_parse(text).ok().map(MeasureId);
    match &command.command {
        Some(Command::OpenCase(draft)) => About { case: case(&draft.case_id), measure: None },
        Some(Command::RecordStep(step)) => About { case: case(&step.case_id), measure: None },
        Some(Command::ProposeRemoval(removal)) => About { case: case(&removal.case_id), measure: None },
        Some(Command::PlanMeasure(plan)) => About { case: case(&plan.case_id), measure: measure(&plan.measure_id) },
        Some(Command::FinishMeasure(result)) => About { case: None, measure: measure(&result.measure_id) },
        None => About::default(),
    }
}

pub(in crate::grpc) fn list(request: &v1::ListCasesRequest) -> Result<(Filter, Page<DayKey>), Error> {
    let household = match request.household_id.as_str() {
        "" => None,
        text => Some(uuid("household_id", text).map(HouseholdId)?),
    };
    let filter = Filter {
        region: optional_region("region_code", &request.region_code)?,
        stage: StageName::read(request.stage),
        household,
    };
    Ok((filter, Page::parse(request.page_size, &request.page_token)?))
}

/// Maximum number of history entries, and of measures, in a response.
const SHOWN: usize = 500;

/// The newest ones, if there are more than a message can hold.
fn newest<T>(all: &[T]) -> &[T] {
    &all[all.len().saturating_sub(SHOWN)..]
}

impl From<Case> for v1::Case {
    fn from(case: Case) -> Self {
        let next = case.stage.next();
        let kind = case.stage.removal().map(|removal| v1::RemovalKind::from(removal.kind));
        Self {
            case_id: case.id.to_string(),
            household_id: case.household.to_string(),
            region_code: case.region.to_string(),
            rule_set_id: case.rule_set.to_string(),
            category: case.category,
            risks: case.risks.iter().map(|risk| v1::Risk::from(*risk).into()).collect(),
            risk_remark: case.risk_remark,
            stage: v1::Stage::from(case.stage.name()).into(),
            emergency: case.emergency.map(v1::Emergency::from).unwrap_or_default().into(),
            next_step: next.map(|next| v1::Step::from(next.step)).unwrap_or_default().into(),
            next_due_on: next.map(|next| next.on.into()),
            identified_on: case.stage.identified_on().map(Into::into),
            removed_on: case.stage.removed_on().map(Into::into),
            removal_kind: kind.unwrap_or_default().into(),
            relapse_of: case.relapse_of.map(|earlier| earlier.to_string()).unwrap_or_default(),
            history: newest(case.history.entries()).iter().cloned().map(Into::into).collect(),
            measures: Vec::new(),
            signal_ids: case.signals.iter().map(ToString::to_string).collect(),
            version: case.version,
        }
    }
}

impl From<Entry> for v1::CaseEntry {
    fn from(entry: Entry) -> Self {
        let (kind, step) = match entry.fact {
            Fact::Opened => (v1::CaseEntryKind::Opened, None),
            Fact::StepPassed(step) => (v1::CaseEntryKind::StepPassed, Some(step)),
            Fact::StepRefused(step) => (v1::CaseEntryKind::StepRefused, Some(step)),
            Fact::RemovalProposed => (v1::CaseEntryKind::RemovalProposed, None),
            Fact::RemovalRolledBack => (v1::CaseEntryKind::RemovalRolledBack, None),
        };
        Self {
            kind: kind.into(),
            step: step.map(v1::Step::from).unwrap_or_default().into(),
            occurred_on: Some(entry.occurred_on.into()),
            due_on: entry.due_on.map(Into::into),
            performed_by: entry.performed_by,
            reason: entry.reason,
        }
    }
}

impl From<Measure> for v1::Measure {
    fn from(measure: Measure) -> Self {
        let state = match &measure.state {
            MeasureState::Planned => v1::MeasureState::Planned,
            MeasureState::Done(_) => v1::MeasureState::Done,
            MeasureState::Cancelled(_) => v1::MeasureState::Cancelled,
        };
        let ending = measure.ending();
        Self {
            measure_id: measure.id.to_string(),
            case_id: measure.case.to_string(),
            state: state.into(),
            finished_on: ending.map(|ending| ending.on.into()),
            outcome: ending.map(|ending| ending.outcome.clone()).unwrap_or_default(),
            spent_fen: ending.map_or(0, |ending| ending.spent_fen),
            stated: Some(measure.stated.into()),
        }
    }
}

impl From<MeasureDraft> for v1::MeasureDraft {
    fn from(draft: MeasureDraft) -> Self {
        Self {
            risk: v1::Risk::from(draft.risk).into(),
            family: v1::MeasureFamily::from(draft.family).into(),
            owner: draft.owner,
            planned_on: Some(draft.planned_on.into()),
            due_on: Some(draft.due_on.into()),
            planned_fen: draft.planned_fen,
        }
    }
}

impl From<CaseFile> for v1::Case {
    fn from(file: CaseFile) -> Self {
        let measures = newest(&file.measures).iter().cloned().map(Into::into).collect();
        Self { measures, ..file.case.into() }
    }
}

pub(in crate::grpc) fn overdue(step: Overdue, today: NaiveDate) -> v1::OverdueStep {
    let days = (today - step.due_on).num_days();
    v1::OverdueStep {
        case_id: step.case.to_string(),
        household_id: step.household.to_string(),
        region_code: step.region.to_string(),
        step: v1::Step::from(step.step).into(),
        due_on: Some(step.due_on.into()),
        days_overdue: i32::try_from(days).unwrap_or(i32::MAX),
    }
}

impl From<CaseFile> for v1::GetCaseResponse {
    fn from(file: CaseFile) -> Self {
        Self { case: Some(file.into()) }
    }
}

macro_rules! answered_with_doubts {
    ($($answer:ident { $became:ident: $of:ty }),+ $(,)?) => {$(
        impl From<WithWarnings<$of>> for v1::$answer {
            fn from(WithWarnings { became, warnings }: WithWarnings<$of>) -> Self {
                Self { $became: Some(became.into()), warnings }
            }
        }
    )+};
}

answered_with_doubts!(
    OpenCaseResponse { case: CaseFile },
    RecordStepResponse { case: CaseFile },
    PlanMeasureResponse { measure: Measure },
    FinishMeasureResponse { measure: Measure },
);
