//! The history of a case, oldest entry first. Entries are only added.

use chrono::NaiveDate;

use crate::domain::procedure::Step;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fact {
    Opened,
    StepPassed(Step),
    StepRefused(Step),
    RemovalProposed,
    RemovalRolledBack,
}

impl Fact {
    /// Its name, and the step if it is about one.
    #[must_use]
    pub const fn name(self) -> (&'static str, Option<Step>) {
        match self {
            Self::Opened => ("opened", None),
            Self::StepPassed(step) => ("step_passed", Some(step)),
            Self::StepRefused(step) => ("step_refused", Some(step)),
            Self::RemovalProposed => ("removal_proposed", None),
            Self::RemovalRolledBack => ("removal_rolled_back", None),
        }
    }

    #[must_use]
    pub fn by_name(name: &str, step: Option<Step>) -> Option<Self> {
        match (name, step) {
            ("opened", None) => Some(Self::Opened),
            ("step_passed", Some(step)) => Some(Self::StepPassed(step)),
            ("step_refused", Some(step)) => Some(Self::StepRefused(step)),
            ("removal_proposed", None) => Some(Self::RemovalProposed),
            ("removal_rolled_back", None) => Some(Self::RemovalRolledBack),
            _ => None,
        }
    }

    /// Whether identification or removal begins here.
    const fn begins_track(self) -> bool {
        matches!(self, Self::Opened | Self::RemovalProposed)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub fact: Fact,
    pub occurred_on: NaiveDate,
    /// Due date, for steps.
    pub due_on: Option<NaiveDate>,
    /// A person's identifier.
    pub performed_by: String,
    /// May be empty except for a refusal or a roll-back.
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// First day on which it is up.
    pub posted_on: NaiveDate,
    /// Whether it announces a removal.
    pub removal: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History(Vec<Entry>);

impl History {
    #[must_use]
    pub fn of(entries: Vec<Entry>) -> Self {
        Self(entries)
    }

    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    #[must_use]
    pub fn newest(&self) -> Option<&Entry> {
        self.0.last()
    }

    pub(super) fn add(&mut self, entry: Entry) {
        self.0.push(entry);
    }

    /// Entries of the newest identification or removal, beginning with the proposal.
    fn track(&self) -> &[Entry] {
        let begin = self.0.iter().rposition(|entry| entry.fact.begins_track());
        &self.0[begin.unwrap_or(0)..]
    }

    /// The person who opened the case, or proposed the current removal.
    #[must_use]
    pub fn proposer(&self) -> Option<&str> {
        self.track().first().map(|entry| entry.performed_by.as_str())
    }

    /// The entry that passed a step of the newest track.
    pub(super) fn passed(&self, step: Step) -> Option<&Entry> {
        self.track().iter().find(|entry| entry.fact == Fact::StepPassed(step))
    }

    /// Whether a step was ever passed, in identification or removal.
    #[must_use]
    pub fn has_passed(&self, step: Step) -> bool {
        self.entries().iter().any(|entry| entry.fact == Fact::StepPassed(step))
    }

    #[must_use]
    pub fn notice(&self) -> Option<Notice> {
        let posted = self.0.iter().rposition(|entry| entry.fact == Fact::StepPassed(Step::NoticePosted))?;
        let mut before = self.0[..posted].iter().rev();
        let begin = before.find(|entry| entry.fact.begins_track())?;
        Some(Notice { posted_on: self.0[posted].occurred_on, removal: begin.fact == Fact::RemovalProposed })
    }
}
