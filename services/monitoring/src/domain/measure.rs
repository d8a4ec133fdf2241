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
    pub enum MeasureFamily {
        Industry = "industry",
        Employment = "employment",
        Finance = "finance",
        PublicServicePost = "public_service_post",
        Housing = "housing",
        /// Drinking water.
        Water = "water",
        Health = "health",
        CompulsoryEducation = "compulsory_education",
        OtherEducation = "other_education",
        ComprehensiveSecurity = "comprehensive_security",
        SocialSupport = "social_support",
        Relocation = "relocation",
        LivingConditions = "living_conditions",
        Infrastructure = "infrastructure",
    }
}

/// The facts of a measure when it is planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasureDraft {
    /// One of the case's risks.
    pub risk: Risk,
    pub family: MeasureFamily,
    /// Identifier of the person in charge.
    pub owner: String,
    pub planned_on: NaiveDate,
    pub due_on: NaiveDate,
    /// In fen, at least 0.
    pub planned_fen: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    pub on: NaiveDate,
    /// The result, or why it was cancelled.
    pub outcome: String,
    /// In fen, at least 0.
    pub spent_fen: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeasureState {
    /// Planned, or under way.
    Planned,
    Done(Ending),
    Cancelled(Ending),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    pub id: MeasureId,
    pub case: CaseId,
    pub stated: MeasureDraft,
    pub state: MeasureState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasureEvent {
    Planned,
    /// Done or cancelled.
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
    DateOrder { field: &'static str, date: NaiveDate, earliest: NaiveDate },
}

impl MeasureDraft {
    /// Plans the measure: in an emergency at once, otherwise only for a household under monitoring.
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
    #[must_use]
    pub const fn done_on(&self) -> Option<NaiveDate> {
        match &self.state {
            MeasureState::Done(ending) => Some(ending.on),
            MeasureState::Planned | MeasureState::Cancelled(_) => None,
        }
    }

    #[must_use]
    pub const fn ending(&self) -> Option<&Ending> {
        match &self.state {
            MeasureState::Planned => None,
            MeasureState::Done(ending) | MeasureState::Cancelled(ending) => Some(ending),
        }
    }

    /// Records that it was done or cancelled.
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

/// Risks against which a measure was done by a day.
pub fn helped_by<'a>(measures: impl IntoIterator<Item = &'a Measure>, day: NaiveDate) -> BTreeSet<Risk> {
    let done = measures.into_iter().filter(|measure| measure.done_on().is_some_and(|done_on| done_on <= day));
    done.map(|measure| measure.stated.risk).collect()
}

fn in_order(field: &'static str, date: NaiveDate, earliest: NaiveDate) -> Result<(), MeasureRefused> {
    if date < earliest { Err(MeasureRefused::DateOrder { field, date, earliest }) } else { Ok(()) }
}
