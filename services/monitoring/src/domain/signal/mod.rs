//! Signs that households are at risk.

mod counts;
mod funnel;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use tongxin_platform::{error::Refusal, named, region::RegionCode};

pub use counts::{CountChange, Counted, Moved, Spells, changes};
pub use funnel::{Funnel, FunnelRow, Outcomes, Route};

use super::{CaseId, HouseholdId, RuleSetId, SignalId, VerdictId, risk::Risk};

named! {
    /// How a signal comes in.
    pub enum SignalKind {
        /// The household asked for itself.
        SelfReport = "self_report",
        /// Cadres found it on their rounds.
        Sweep = "sweep",
        /// A department warned.
        DepartmentWarning = "department_warning",
        /// A screening rule hit.
        Screening = "screening",
    }
}

named! {
    /// A department that warns.
    pub enum Department {
        /// Civil affairs.
        CivilAffairs = "civil_affairs",
        /// Medical insurance.
        MedicalInsurance = "medical_insurance",
        /// Education.
        Education = "education",
        /// Disabled persons' federation.
        DisabledPersonsFederation = "disabled_persons_federation",
        /// Human resources and social security.
        HumanResources = "human_resources",
        /// Emergency management.
        EmergencyManagement = "emergency_management",
        /// Health.
        Health = "health",
        /// Housing and construction.
        Housing = "housing",
        /// Water resources.
        Water = "water",
        /// Agriculture and rural affairs.
        Agriculture = "agriculture",
        /// Public security.
        PublicSecurity = "public_security",
        /// Justice and petitions.
        Justice = "justice",
        /// Women's federation, youth league, trade union.
        MassOrganisation = "mass_organisation",
    }
}

impl Department {
    /// The one that a token names: by its name, or by that of the contract, in lower or upper case.
    #[must_use]
    pub fn of_token(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        Self::by_name(word.strip_prefix("department_").unwrap_or(&word))
    }
}

named! {
    /// Where a signal stands.
    pub enum SignalState {
        /// Waits to be verified.
        Open = "open",
        /// Found to be true.
        Verified = "verified",
        /// Found not to be.
        Refuted = "refuted",
    }
}

/// How a report came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The household asked for itself.
    SelfReport,
    /// Cadres found it on their rounds.
    Sweep,
    /// A department warned.
    Warning(Department),
    /// A screening rule hit.
    Screening {
        /// The verdict.
        verdict: VerdictId,
        /// The rule set.
        rule_set: RuleSetId,
        /// The rule's number.
        rule_number: i32,
    },
}

impl Origin {
    /// Its kind.
    #[must_use]
    pub const fn kind(self) -> SignalKind {
        match self {
            Self::SelfReport => SignalKind::SelfReport,
            Self::Sweep => SignalKind::Sweep,
            Self::Warning(_) => SignalKind::DepartmentWarning,
            Self::Screening { .. } => SignalKind::Screening,
        }
    }

    /// The department, of a warning.
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
    /// The household.
    pub household: HouseholdId,
    /// Its village.
    pub region: RegionCode,
    /// What it is at risk of.
    pub cause: Risk,
    /// How the report came in.
    pub origin: Origin,
    /// Business date of the report.
    pub reported_on: NaiveDate,
}

/// A report that a signal rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// How it came in.
    pub origin: Origin,
    /// Business date.
    pub reported_on: NaiveDate,
}

/// What a signal was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is true.
    pub verified: bool,
    /// Why.
    pub reason: String,
    /// Business date.
    pub on: NaiveDate,
}

/// A sign that a household is at risk. Reports of one household and cause are one signal while it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Identifier.
    pub id: SignalId,
    /// The household.
    pub household: HouseholdId,
    /// Its village.
    pub region: RegionCode,
    /// What it is at risk of.
    pub cause: Risk,
    /// The reports, in the order of their entry, at least one.
    pub sources: Vec<Source>,
    /// What it was found to be; `None` while it is open.
    pub decision: Option<Decision>,
    /// The case that it led to.
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

    /// A period ends before it begins.
    #[error("{1} is before {0}")]
    #[refusal(Invalid, "DATE_ORDER", field = "until")]
    PeriodOrder(NaiveDate, NaiveDate),

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
    DepartmentMismatch {
        /// The token's.
        token: Department,
        /// What the request states.
        stated: Department,
    },

    /// It was not verified, or a case was opened for it before.
    #[error("signal {0} is not a verified one that waits for a case")]
    #[refusal(FailedPrecondition, "SIGNAL_NOT_VERIFIED")]
    NotVerified(SignalId),
}

impl Signal {
    /// A signal that a first report raises.
    #[must_use]
    pub fn raise(id: SignalId, report: &Report) -> Self {
        let Report { household, region, cause, origin, reported_on } = *report;
        let sources = vec![Source { origin, reported_on }];
        Self { id, household, region, cause, sources, decision: None, case: None, version: 1 }
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> SignalState {
        match &self.decision {
            None => SignalState::Open,
            Some(Decision { verified: true, .. }) => SignalState::Verified,
            Some(Decision { verified: false, .. }) => SignalState::Refuted,
        }
    }

    /// Business date of the earliest report.
    #[must_use]
    pub fn reported_on(&self) -> NaiveDate {
        self.sources.iter().map(|source| source.reported_on).min().unwrap_or(NaiveDate::MAX)
    }

    /// Business date of the earliest warning of a department.
    #[must_use]
    pub fn warned_on(&self) -> Option<NaiveDate> {
        let warnings = self.sources.iter().filter(|source| source.origin.kind() == SignalKind::DepartmentWarning);
        warnings.map(|source| source.reported_on).min()
    }

    /// Lets another report join. One that says what another said already adds nothing, so that a signal does not grow
    /// with what is repeated about it.
    pub fn join(&mut self, source: Source) -> bool {
        let is_known = self.sources.iter().any(|known| says_the_same(*known, source));
        if !is_known {
            self.sources.push(source);
        }
        !is_known
    }

    /// States what it was found to be, of a household that lives where it does since a day.
    ///
    /// # Errors
    /// When it was decided, or the day lies before it or before the household's move.
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

    /// Leads to a case.
    ///
    /// # Errors
    /// When it was not verified, or led to a case before.
    pub fn take(self, case: CaseId) -> Result<Self, SignalRefused> {
        if self.state() != SignalState::Verified || self.case.is_some() {
            return Err(SignalRefused::NotVerified(self.id));
        }
        Ok(Self { case: Some(case), version: self.version + 1, ..self })
    }
}

/// Whether two screenings hit by one rule, whenever that was, or two reports came in alike on one day.
fn says_the_same(one: Source, other: Source) -> bool {
    match (one.origin, other.origin) {
        (
            Origin::Screening { rule_set: one_set, rule_number: one_number, .. },
            Origin::Screening { rule_set: other_set, rule_number: other_number, .. },
        ) => (one_set, one_number) == (other_set, other_number),
        _ => one == other,
    }
}
