//! Measures: one household, one policy.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use tongxin_platform::{change::Change, error::Refusal, named};

use super::{
    CaseId, MeasureId,
    case::{Case, Stage},
    risk::Risk,
};

named! {
    /// Families of measures.
    pub enum MeasureFamily {
        /// Industry.
        Industry = "industry",
        /// Employment.
        Employment = "employment",
        /// Finance.
        Finance = "finance",
        /// A public-service post.
        PublicServicePost = "public_service_post",
        /// Housing.
        Housing = "housing",
        /// Drinking water.
        Water = "water",
        /// Health.
        Health = "health",
        /// Compulsory education.
        CompulsoryEducation = "compulsory_education",
        /// Other education.
        OtherEducation = "other_education",
        /// Comprehensive security.
        ComprehensiveSecurity = "comprehensive_security",
        /// Social support.
        SocialSupport = "social_support",
        /// Relocation.
        Relocation = "relocation",
        /// Living conditions.
        LivingConditions = "living_conditions",
        /// Infrastructure.
        Infrastructure = "infrastructure",
    }
}

/// What is stated of a measure when it is planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasureDraft {
    /// The risk that it is against, one of the case's.
    pub risk: Risk,
    /// Its family.
    pub family: MeasureFamily,
    /// Who sees to it: a person's identifier.
    pub owner: String,
    /// Day on which it is planned.
    pub planned_on: NaiveDate,
    /// Day by which it is due.
    pub due_on: NaiveDate,
    /// What it may cost, in fen, at least 0.
    pub planned_fen: i64,
}

/// How a measure ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Business date.
    pub on: NaiveDate,
    /// What came of it, or why it was given up.
    pub outcome: String,
    /// What it cost, in fen, at least 0.
    pub spent_fen: i64,
}

/// Where a measure stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeasureState {
    /// Planned, or under way.
    Planned,
    /// Done.
    Done(Ending),
    /// Given up.
    Cancelled(Ending),
}

/// A measure against a risk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// Identifier.
    pub id: MeasureId,
    /// The case.
    pub case: CaseId,
    /// What was stated.
    pub stated: MeasureDraft,
    /// Where it stands.
    pub state: MeasureState,
}

/// What happened to a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasureEvent {
    /// It was planned.
    Planned,
    /// It was done or given up.
    Finished,
}

/// Why a change of a measure is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum MeasureRefused {
    /// It does not exist, or lies outside the caller's region.
    #[error("measure {0} does not exist")]
    #[refusal(NotFound, "MEASURE_NOT_FOUND", field = "measure_id")]
    NotFound(MeasureId),
    /// Another one has the identifier.
    #[error("there is a measure with the identifier {0}: choose another")]
    #[refusal(AlreadyExists, "MEASURE_EXISTS")]
    Exists(MeasureId),
    /// One that the caller does not see has one of the identifiers.
    #[error("there is a measure with such an identifier: choose another")]
    #[refusal(AlreadyExists, "MEASURE_EXISTS")]
    ExistsElsewhere,
    /// The case is removed or refused.
    #[error("the case is closed")]
    #[refusal(FailedPrecondition, "CASE_CLOSED")]
    CaseClosed,
    /// Measures are for households under monitoring, unless help comes first.
    #[error("the household is not under monitoring yet, and there is no emergency")]
    #[refusal(FailedPrecondition, "CASE_NOT_MONITORED")]
    CaseNotMonitored,
    /// It is against something that the household is not at risk of.
    #[error("the risk {} is not one of the case", .0.name())]
    #[refusal(Invalid, "RISK_NOT_OF_CASE", field = "measure.risk")]
    RiskNotOfCase(Risk),
    /// It is done, or was given up.
    #[error("the measure has ended")]
    #[refusal(FailedPrecondition, "MEASURE_FINISHED")]
    Finished,
    /// A date lies before the one that it has to follow.
    #[error("{date} is before {earliest}")]
    #[refusal(Invalid, "DATE_ORDER", field = field)]
    DateOrder {
        /// The field.
        field: &'static str,
        /// What was stated.
        date: NaiveDate,
        /// What would be right at the earliest.
        earliest: NaiveDate,
    },
}

impl MeasureDraft {
    /// Plans the measure in a case: in an emergency at once, otherwise once the household is under monitoring.
    ///
    /// # Errors
    /// When the case is not there yet or no longer, or the measure is against none of its risks.
    pub fn plan(self, id: MeasureId, case: &Case) -> Result<Change<Measure, MeasureEvent>, MeasureRefused> {
        let earliest = match (&case.stage, case.emergency) {
            (Stage::Removed { .. } | Stage::Refused, _) => return Err(MeasureRefused::CaseClosed),
            (Stage::Identifying { .. }, None) => return Err(MeasureRefused::CaseNotMonitored),
            (_, Some(_)) => case.history.entries().first().map(|opened| opened.occurred_on),
            (Stage::Monitored { identified_on } | Stage::Removing { identified_on, .. }, None) => Some(*identified_on),
        };
        if !case.risks.contains(&self.risk) {
            return Err(MeasureRefused::RiskNotOfCase(self.risk));
        }
        if let Some(earliest) = earliest {
            in_order("measure.planned_on", self.planned_on, earliest)?;
        }
        in_order("measure.due_on", self.due_on, self.planned_on)?;
        let measure = Measure { id, case: case.id, stated: self, state: MeasureState::Planned };
        Ok(Change::one(measure, MeasureEvent::Planned))
    }
}

impl Measure {
    /// The day on which it was done; `None` if it was not.
    #[must_use]
    pub const fn done_on(&self) -> Option<NaiveDate> {
        match &self.state {
            MeasureState::Done(ending) => Some(ending.on),
            MeasureState::Planned | MeasureState::Cancelled(_) => None,
        }
    }

    /// How it ended; `None` before.
    #[must_use]
    pub const fn ending(&self) -> Option<&Ending> {
        match &self.state {
            MeasureState::Planned => None,
            MeasureState::Done(ending) | MeasureState::Cancelled(ending) => Some(ending),
        }
    }

    /// States that it was done, or given up.
    ///
    /// # Errors
    /// When it has ended, its case is closed, or it would end before it was planned.
    pub fn finish(
        self,
        case: &Case,
        cancelled: bool,
        ending: Ending,
    ) -> Result<Change<Self, MeasureEvent>, MeasureRefused> {
        if case.stage.is_closed() {
            return Err(MeasureRefused::CaseClosed);
        }
        if self.state != MeasureState::Planned {
            return Err(MeasureRefused::Finished);
        }
        in_order("finished_on", ending.on, self.stated.planned_on)?;
        let state = if cancelled { MeasureState::Cancelled(ending) } else { MeasureState::Done(ending) };
        Ok(Change::one(Self { state, ..self }, MeasureEvent::Finished))
    }
}

/// The risks against which measures were done by a day.
pub fn helped_by<'a>(measures: impl IntoIterator<Item = &'a Measure>, day: NaiveDate) -> BTreeSet<Risk> {
    let done = measures.into_iter().filter(|measure| measure.done_on().is_some_and(|done_on| done_on <= day));
    done.map(|measure| measure.stated.risk).collect()
}

fn in_order(field: &'static str, date: NaiveDate, earliest: NaiveDate) -> Result<(), MeasureRefused> {
    if date < earliest { Err(MeasureRefused::DateOrder { field, date, earliest }) } else { Ok(()) }
}
