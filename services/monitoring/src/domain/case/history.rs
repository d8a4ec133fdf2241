//! What happened in a case, oldest first. Entries are added and never changed.

use chrono::NaiveDate;

use crate::domain::procedure::Step;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fact {
    /// The case was opened.
    Opened,
    /// A step was passed.
    StepPassed(Step),
    /// A step was refused.
    StepRefused(Step),
    /// Removal was proposed.
    RemovalProposed,
    /// A removal was rolled back.
    RemovalRolledBack,
}

impl Fact {
    /// Its name, and the step that it is about.
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

    /// The fact with a name.
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

    /// Whether a way into monitoring, or out of it, begins here.
    const fn begins_track(self) -> bool {
        matches!(self, Self::Opened | Self::RemovalProposed)
    }
}

/// Something that happened in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What.
    pub fact: Fact,
    /// Business date.
    pub occurred_on: NaiveDate,
    /// Day by which it was due, for steps.
    pub due_on: Option<NaiveDate>,
    /// Who did it: a person's identifier.
    pub performed_by: String,
    /// Why; may be empty unless it is a refusal or a roll-back.
    pub reason: String,
}

/// A public notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// First day on which it is up.
    pub posted_on: NaiveDate,
    /// Whether it is one of removal.
    pub removal: bool,
}

/// What happened in a case, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History(Vec<Entry>);

impl History {
    /// A history as it was kept.
    #[must_use]
    pub fn of(entries: Vec<Entry>) -> Self {
        Self(entries)
    }

    /// All entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The newest entry.
    #[must_use]
    pub fn newest(&self) -> Option<&Entry> {
        self.0.last()
    }

    pub(super) fn add(&mut self, entry: Entry) {
        self.0.push(entry);
    }

    /// The entries of the newest way into monitoring or out of it, beginning with who proposed it.
    fn track(&self) -> &[Entry] {
        let begin = self.0.iter().rposition(|entry| entry.fact.begins_track());
        &self.0[begin.unwrap_or(0)..]
    }

    /// Who opened the case, or proposed the removal that is under way.
    #[must_use]
    pub fn proposer(&self) -> Option<&str> {
        self.track().first().map(|entry| entry.performed_by.as_str())
    }

    /// The entry by which a step of the newest track was passed.
    pub(super) fn passed(&self, step: Step) -> Option<&Entry> {
        self.track().iter().find(|entry| entry.fact == Fact::StepPassed(step))
    }

    /// Whether a step was ever passed, on the way into monitoring or out of it.
    #[must_use]
    pub fn has_passed(&self, step: Step) -> bool {
        self.entries().iter().any(|entry| entry.fact == Fact::StepPassed(step))
    }

    /// The newest notice.
    #[must_use]
    pub fn notice(&self) -> Option<Notice> {
        let posted = self.0.iter().rposition(|entry| entry.fact == Fact::StepPassed(Step::NoticePosted))?;
        let mut before = self.0[..posted].iter().rev();
        let begin = before.find(|entry| entry.fact.begins_track())?;
        Some(Notice { posted_on: self.0[posted].occurred_on, removal: begin.fact == Fact::RemovalProposed })
    }
}
