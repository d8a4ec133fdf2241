//! The procedure as a state machine: each transition consumes the case.

use chrono::NaiveDate;
use tongxin_platform::change::Change;

use super::{Case, CaseEvent, CaseRefused, Entry, Fact, Grounds, Removal, Stage, Timetable, counts};
use crate::domain::procedure::Step;

/// What is stated of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRecord {
    /// The step.
    pub step: Step,
    /// Whether it was refused rather than passed.
    pub refused: bool,
    /// Why; may be empty unless it was refused.
    pub reason: String,
    /// Business date.
    pub occurred_on: NaiveDate,
    /// Who did it.
    pub performed_by: String,
}

/// What the rules say on the day of a step.
#[derive(Debug, Clone, Copy)]
pub struct StepRules<'a> {
    /// When the step after it is due.
    pub timetable: &'a Timetable,
    /// Days that a notice is up at the least, by the rules of the day when it was put up.
    pub notice_min_days: u32,
    /// What is known of the household; asked for when the last step of a removal is passed.
    pub grounds: Option<&'a Grounds>,
}

impl Case {
    /// Passes or refuses the step that is next.
    ///
    /// # Errors
    /// When another step is next, or a guard of the step does not hold.
    pub fn step(self, record: StepRecord, rules: StepRules<'_>) -> Result<Change<Self, CaseEvent>, CaseRefused> {
        let next = self.stage.next().filter(|next| next.step == record.step).ok_or_else(|| self.out_of_order())?;
        if record.refused && record.reason.is_empty() {
            return Err(CaseRefused::ReasonRequired);
        }
        self.in_order("occurred_on", record.occurred_on)?;
        self.by_another(record.step, &record.performed_by)?;
        let stage = if record.refused { self.stage_after_refusal()? } else { self.stage_after(&record, rules)? };
        let fact = if record.refused { Fact::StepRefused } else { Fact::StepPassed };
        let event = CaseEvent::StepRecorded {
            step: record.step,
            removal: matches!(self.stage, Stage::Removing { .. }),
            refused: record.refused,
            on: record.occurred_on,
        };
        let entry = Entry {
            fact: fact(record.step),
            occurred_on: record.occurred_on,
            due_on: Some(next.on),
            performed_by: record.performed_by,
            reason: record.reason,
        };
        Ok(self.changed(stage, entry, event))
    }

    /// Proposes that the household leaves monitoring.
    ///
    /// # Errors
    /// When it is not under monitoring, or not all holds that removal asks for.
    pub fn propose_removal(
        self,
        removal: Removal,
        day: NaiveDate,
        timetable: &Timetable,
        grounds: Option<&Grounds>,
    ) -> Result<Change<Self, CaseEvent>, CaseRefused> {
        let Stage::Monitored { identified_on } = self.stage else { return Err(self.out_of_order()) };
        self.in_order("proposed_on", day)?;
        grounds.ok_or(CaseRefused::ObservationMissing)?.check(&self.risks, removal.kind, identified_on, day)?;
        let event = CaseEvent::RemovalProposed { kind: removal.kind, on: day };
        let entry = Entry {
            fact: Fact::RemovalProposed,
            occurred_on: day,
            due_on: None,
            performed_by: removal.proposed_by.clone(),
            reason: String::new(),
        };
        let next = timetable.due(Step::FIRST, day, false);
        Ok(self.changed(Stage::Removing { identified_on, removal, next }, entry, event))
    }

    /// Takes a removal back, unless one of the household's other cases rests on it.
    ///
    /// # Errors
    /// When it was not removed, or only later, or the household has relapsed since.
    pub fn roll_back_removal<'a>(
        self,
        day: NaiveDate,
        performed_by: String,
        reason: String,
        others: impl IntoIterator<Item = &'a Self>,
    ) -> Result<Change<Self, CaseEvent>, CaseRefused> {
        let Stage::Removed { identified_on, .. } = self.stage else { return Err(self.out_of_order()) };
        let rests_on_it = |other: &Self| other.relapse_of == Some(self.id) && other.stage != Stage::Refused;
        if others.into_iter().any(rests_on_it) {
            return Err(CaseRefused::HouseholdHasCase);
        }
        if reason.is_empty() {
            return Err(CaseRefused::ReasonRequired);
        }
        self.in_order("occurred_on", day)?;
        let entry = Entry { fact: Fact::RemovalRolledBack, occurred_on: day, due_on: None, performed_by, reason };
        let event = CaseEvent::RemovalRolledBack { on: day };
        Ok(self.changed(Stage::Monitored { identified_on }, entry, event))
    }

    /// The stage after a passed step that is next.
    fn stage_after(&self, record: &StepRecord, rules: StepRules<'_>) -> Result<Stage, CaseRefused> {
        let day = record.occurred_on;
        if record.step == Step::NoticeEnded {
            self.notice_was_up(day, rules.notice_min_days)?;
        }
        let next = |emergency| record.step.next().map(|step| rules.timetable.due(step, day, emergency));
        match &self.stage {
            Stage::Identifying { .. } => Ok(match next(self.emergency.is_some()) {
                Some(next) => Stage::Identifying { next },
                None => Stage::Monitored { identified_on: day },
            }),
            Stage::Removing { identified_on, removal, .. } => {
                let (identified_on, removal) = (*identified_on, removal.clone());
                if let Some(next) = next(false) {
                    return Ok(Stage::Removing { identified_on, removal, next });
                }
                let grounds = rules.grounds.ok_or(CaseRefused::ObservationMissing)?;
                grounds.check(&self.risks, removal.kind, identified_on, day)?;
                Ok(Stage::Removed { identified_on, removal, removed_on: day })
            }
            Stage::Monitored { .. } | Stage::Removed { .. } | Stage::Refused => Err(self.out_of_order()),
        }
    }

    /// A refused identification closes the case; a refused removal leaves the household under monitoring.
    fn stage_after_refusal(&self) -> Result<Stage, CaseRefused> {
        match self.stage {
            Stage::Identifying { .. } => Ok(Stage::Refused),
            Stage::Removing { identified_on, .. } => Ok(Stage::Monitored { identified_on }),
            Stage::Monitored { .. } | Stage::Removed { .. } | Stage::Refused => Err(self.out_of_order()),
        }
    }

    fn out_of_order(&self) -> CaseRefused {
        CaseRefused::StepOutOfOrder { next: self.stage.next().map(|next| next.step), stage: self.stage.name() }
    }

    /// The case in another stage, with one more entry, and what that changes in the counts.
    fn changed(mut self, stage: Stage, entry: Entry, event: CaseEvent) -> Change<Self, CaseEvent> {
        let before = self.counts();
        self.stage = stage;
        self.history.add(entry);
        self.version += 1;
        let counted = counts::difference(before, self.counts()).into_iter().map(CaseEvent::Counted);
        let events = std::iter::once(event).chain(counted).collect();
        Change { state: self, events }
    }
}
