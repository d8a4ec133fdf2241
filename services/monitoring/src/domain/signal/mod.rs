//! Signals: signs that households are at risk.

mod counts;
mod funnel;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use tongxin_platform::{error::Refusal, named, region::RegionCode};

pub use counts::{CountChange, Counted, CountedPeriods, Moved, changes};
pub use funnel::{Funnel, FunnelRow, Outcomes, Route};

use super::{CaseId, HouseholdId, RuleSetId, SignalId, VerdictId, risk::Risk};

named! {
    pub enum SignalKind {
        /// The household reported itself.
        SelfReport = "self_report",
        /// Found by cadres on their rounds.
        Sweep = "sweep",
        DepartmentWarning = "department_warning",
        Screening = "screening",
    }
}

named! {
    pub enum Department {
        CivilAffairs = "civil_affairs",
        MedicalInsurance = "medical_insurance",
        Education = "education",
        DisabledPersonsFederation = "disabled_persons_federation",
        /// Human resources and social security.
        HumanResources = "human_resources",
        EmergencyManagement = "emergency_management",
        Health = "health",
        /// Housing and construction.
        Housing = "housing",
        Water = "water",
        /// Agriculture and rural affairs.
        Agriculture = "agriculture",
        PublicSecurity = "public_security",
        /// Justice and petitions.
        Justice = "justice",
        /// Women's federation, youth league, trade union.
        MassOrganisation = "mass_organisation",
    }
}

impl Department {
    /// Parses the department in a token: the name here or in the contract, in lower or upper case.
    #[must_use]
    pub fn of_token(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        Self::by_name(word.strip_prefix("department_").unwrap_or(&word))
    }
}

named! {
    pub enum SignalState {
        /// Waiting for verification.
        Open = "open",
        /// Found to be true.
        Verified = "verified",
        /// Found to be false.
        Refuted = "refuted",
    }
}

/// How a report came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    SelfReport,
    Sweep,
    Warning(Department),
    Screening { verdict: VerdictId, rule_set: RuleSetId, rule_number: i32 },
}

impl Origin {
    #[must_use]
    pub const fn kind(self) -> SignalKind {
        match self {
            Self::SelfReport => SignalKind::SelfReport,
            Self::Sweep => SignalKind::Sweep,
            Self::Warning(_) => SignalKind::DepartmentWarning,
            Self::Screening { .. } => SignalKind::Screening,
        }
    }

    #[must_use]
    pub const fn department(self) -> Option<Department> {
        match self {
            Self::Warning(department) => Some(department),
            Self::SelfReport | Self::Sweep | Self::Screening { .. } => None,
        }
    }
}

/// A report that a household is at risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    pub household: HouseholdId,
    /// Its village.
    pub region: RegionCode,
    pub cause: Risk,
    pub origin: Origin,
    pub reported_on: NaiveDate,
}

/// A report that belongs to a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    pub origin: Origin,
    pub reported_on: NaiveDate,
}

/// The result of verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub verified: bool,
    pub reason: String,
    pub on: NaiveDate,
}

/// A sign that a household is at risk. Reports with the same household and cause join one signal while it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    pub id: SignalId,
    pub household: HouseholdId,
    /// Its village.
    pub region: RegionCode,
    pub cause: Risk,
    /// In order of entry, at least one.
    pub sources: Vec<Source>,
    /// What it was found to be; `None` while it is open.
    pub decision: Option<Decision>,
    pub case: Option<CaseId>,
    /// Rises by one with each change, from 1.
    pub version: i64,
}

/// Why something cannot be done with a signal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum SignalRefused {
    /// The signal does not exist, or lies outside the caller's region.
    #[error("signal {0} does not exist")]
    #[refusal(NotFound, "SIGNAL_NOT_FOUND", field = "signal_id")]
    NotFound(SignalId),

    /// It was decided upon.
    #[error("the signal is {}", .0.name())]
    #[refusal(FailedPrecondition, "SIGNAL_DECIDED")]
    Decided(SignalState),

    /// It was not there yet, or the household lived elsewhere.
    #[error("{0} is before {1}, when the signal was reported or the household moved")]
    #[refusal(Invalid, "DATE_ORDER", field = "decided_on")]
    DateOrder(NaiveDate, NaiveDate),

    /// What is warned of happened before the person was born.
    #[error("lies before the person was born")]
    #[refusal(Invalid, "DATE_ORDER", field = "occurred_on")]
    BeforeBirth,

    /// Only people report.
    #[error("only self-reports and sweeps are reported")]
    #[refusal(Invalid, "SIGNAL_KIND_WRONG", field = "kind")]
    KindWrong,

    /// A department warns within its region.
    #[error("{0} is not in the region of the sender's token")]
    #[refusal(Invalid, "WARNING_OUTSIDE_REGION", field = "region_code")]
    OutsideRegion(RegionCode),

    /// A reference names one record.
    #[error("the reference was sent with another person, cause or day: choose another one")]
    #[refusal(Invalid, "REFERENCE_REUSED", field = "reference")]
    ReferenceReused,

    /// Whoever warns speaks for a department.
    #[error("the token names no department: ask its issuer for one that does")]
    #[refusal(PermissionDenied, "DEPARTMENT_MISSING")]
    DepartmentMissing,

    /// Whoever warns speaks for one department.
    #[error("the token is one of {}, not of {}", .token.name(), .stated.name())]
    #[refusal(PermissionDenied, "DEPARTMENT_MISMATCH", field = "options.department")]
    DepartmentMismatch { token: Department, stated: Department },

    /// It was not verified, or a case was opened for it before.
    #[error("signal {0} is not a verified one that waits for a case")]
    #[refusal(FailedPrecondition, "SIGNAL_NOT_VERIFIED")]
    NotVerified(SignalId),
}

impl Signal {
    #[must_use]
    pub fn raise(id: SignalId, report: &Report) -> Self {
        let Report { household, region, cause, origin, reported_on } = *report;
        let sources = vec![Source { origin, reported_on }];
        Self { id, household, region, cause, sources, decision: None, case: None, version: 1 }
    }

    #[must_use]
    pub fn state(&self) -> SignalState {
        match &self.decision {
            None => SignalState::Open,
            Some(Decision { verified: true, .. }) => SignalState::Verified,
            Some(Decision { verified: false, .. }) => SignalState::Refuted,
        }
    }

    /// Date of the earliest report.
    #[must_use]
    pub fn reported_on(&self) -> NaiveDate {
        self.sources.iter().map(|source| source.reported_on).min().unwrap_or(NaiveDate::MAX)
    }

    /// Date of the earliest warning of a department.
    #[must_use]
    pub fn warned_on(&self) -> Option<NaiveDate> {
        let warnings = self.sources.iter().filter(|source| source.origin.kind() == SignalKind::DepartmentWarning);
        warnings.map(|source| source.reported_on).min()
    }

    /// Adds a report, unless it repeats another one, so that repetitions do not make the signal grow. Returns whether
    /// it was added.
    pub fn join(&mut self, source: Source) -> bool {
        let is_known = self.sources.iter().any(|known| says_the_same(*known, source));
        if !is_known {
            self.sources.push(source);
        }
        !is_known
    }

    /// Records the result of verification, which must not be before the reports or the household's last move.
    pub fn decide(self, decision: Decision, lives_there_since: Option<NaiveDate>) -> Result<Self, SignalRefused> {
        if self.state() != SignalState::Open {
            return Err(SignalRefused::Decided(self.state()));
        }
        let earliest = lives_there_since.map_or(self.reported_on(), |since| since.max(self.reported_on()));
        if decision.on < earliest {
            return Err(SignalRefused::DateOrder(decision.on, earliest));
        }
        Ok(Self { decision: Some(decision), version: self.version + 1, ..self })
    }

    /// Assigns the signal to the case that was opened for it.
    pub fn take(self, case: CaseId) -> Result<Self, SignalRefused> {
        if self.state() != SignalState::Verified || self.case.is_some() {
            return Err(SignalRefused::NotVerified(self.id));
        }
        Ok(Self { case: Some(case), version: self.version + 1, ..self })
    }
}

/// Whether both are screenings by the same rule, on any day, or equal reports of the same day.
fn says_the_same(one: Source, other: Source) -> bool {
    match (one.origin, other.origin) {
        (
            Origin::Screening { rule_set: one_set, rule_number: one_number, .. },
            Origin::Screening { rule_set: other_set, rule_number: other_number, .. },
        ) => (one_set, one_number) == (other_set, other_number),
        _ => one == other,
    }
}
