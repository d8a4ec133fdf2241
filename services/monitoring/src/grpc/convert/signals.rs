//! Signals, warnings and the funnel.

use chrono::NaiveDate;
use tongxin_platform::{
    page::{Page, PageKey},
    region::RegionCode,
};
use tongxin_proto::{monitoring::v1, names::Named as _};

use super::{date, named, optional_region, region, uuid};
use crate::{
    commands::{DecideSignal, ReportSignal, Reported, WarningDraft},
    domain::{
        CaseId, HouseholdId, SignalId,
        household::HouseholdRefused,
        id_number::IdNumber,
        signal::{Decision, Funnel, FunnelRow, Origin, Outcomes, Signal, SignalState, Source},
    },
    error::{Error, Refused},
    store::signals::{Filter, SOURCES_SHOWN, Shown},
};

pub(in crate::grpc) fn signal_id(text: &str) -> Result<SignalId, Error> {
    uuid("signal_id", text).map(SignalId)
}

pub(in crate::grpc) fn report_signal(request: &v1::ReportSignalRequest) -> Result<ReportSignal, Error> {
    Ok(ReportSignal {
        household: HouseholdId(uuid("household_id", &request.household_id)?),
        kind: named("kind", request.kind)?,
        cause: named("cause", request.cause)?,
        reported_on: date("reported_on", request.reported_on)?,
    })
}

pub(in crate::grpc) fn decide_signal(request: &v1::DecideSignalRequest) -> Result<DecideSignal, Error> {
    let on = date("decided_on", request.decided_on)?;
    Ok(DecideSignal {
        signal: signal_id(&request.signal_id)?,
        decision: Decision { verified: request.verified, reason: request.reason.clone(), on },
        expected_version: request.expected_version,
    })
}

pub(in crate::grpc) fn list_signals(request: &v1::ListSignalsRequest) -> Result<(Filter, Page<PageKey>), Error> {
    let household = match request.household_id.as_str() {
        "" => None,
        text => Some(HouseholdId(uuid("household_id", text)?)),
    };
    let filter = Filter {
        region: optional_region("region_code", &request.region_code)?,
        state: SignalState::read(request.state),
        household,
    };
    Ok((filter, Page::parse(request.page_size, &request.page_token)?))
}

pub(in crate::grpc) fn get_funnel(
    request: &v1::GetFunnelRequest,
) -> Result<(RegionCode, (NaiveDate, NaiveDate)), Error> {
    let (from, until) = (date("from", request.from)?, date("until", request.until)?);
    if until < from {
        return Err(Refused::PeriodOrder(from, until).into());
    }
    Ok((region("region_code", &request.region_code)?, (from, until)))
}

pub(in crate::grpc) fn warning(row: &v1::Warning) -> Result<WarningDraft, Error> {
    let id_number = IdNumber::parse(&row.id_number).map_err(|error| HouseholdRefused::new("id_number", error))?;
    Ok(WarningDraft {
        id_number,
        cause: named("cause", row.cause)?,
        occurred_on: date("occurred_on", row.occurred_on)?,
        reference: row.reference.clone(),
        lives_in: optional_region("region_code", &row.region_code)?,
    })
}

impl From<Signal> for v1::Signal {
    fn from(signal: Signal) -> Self {
        let state = v1::SignalState::from(signal.state()).into();
        let (reason, decided_on) = signal.decision.map(|decision| (decision.reason, decision.on.into())).unzip();
        Self {
            signal_id: signal.id.to_string(),
            household_id: signal.household.to_string(),
            region_code: signal.region.to_string(),
            cause: v1::Risk::from(signal.cause).into(),
            state,
            source_count: i64::try_from(signal.sources.len()).unwrap_or(i64::MAX),
            sources: signal.sources.into_iter().take(SOURCES_SHOWN).map(Into::into).collect(),
            reason: reason.unwrap_or_default(),
            decided_on,
            case_id: signal.case.map(|CaseId(id)| id.to_string()).unwrap_or_default(),
            version: signal.version,
        }
    }
}

impl From<Shown> for v1::Signal {
    fn from(Shown { signal, source_count }: Shown) -> Self {
        Self { source_count, ..signal.into() }
    }
}

impl From<Source> for v1::SignalSource {
    fn from(source: Source) -> Self {
        let mut message = Self {
            kind: v1::SignalKind::from(source.origin.kind()).into(),
            department: source.origin.department().map(v1::Department::from).unwrap_or_default().into(),
            reported_on: Some(source.reported_on.into()),
            ..Self::default()
        };
        if let Origin::Screening { verdict, rule_set, rule_number } = source.origin {
            message.verdict_id = verdict.to_string();
            message.rule_set_id = rule_set.to_string();
            message.rule_number = rule_number;
        }
        message
    }
}

impl From<Reported> for v1::ReportSignalResponse {
    fn from(reported: Reported) -> Self {
        Self { signal: Some(reported.signal.into()), joined: reported.joined }
    }
}

impl From<Funnel> for v1::GetFunnelResponse {
    fn from(funnel: Funnel) -> Self {
        let total = v1::FunnelRow { warnings: funnel.warnings(), ..funnel.total.into() };
        Self { rows: funnel.rows.into_iter().map(Into::into).collect(), total: Some(total) }
    }
}

impl From<FunnelRow> for v1::FunnelRow {
    fn from(FunnelRow { route, outcomes, warnings }: FunnelRow) -> Self {
        let (rule_set_id, rule_number) = route.rule.map(|(set, number)| (set.to_string(), number)).unzip();
        Self {
            kind: v1::SignalKind::from(route.kind).into(),
            department: route.department.map(v1::Department::from).unwrap_or_default().into(),
            rule_set_id: rule_set_id.unwrap_or_default(),
            rule_number: rule_number.unwrap_or_default(),
            warnings,
            ..outcomes.into()
        }
    }
}

impl From<Outcomes> for v1::FunnelRow {
    fn from(outcomes: Outcomes) -> Self {
        Self {
            signals: outcomes.signals,
            verified: outcomes.verified,
            refuted: outcomes.refuted,
            identified: outcomes.identified,
            removed: outcomes.removed,
            relapsed: outcomes.relapsed,
            precision: outcomes.precision(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{HouseholdId, SignalId, risk::Risk};

    #[test]
    fn an_answer_shows_the_first_reports_of_a_signal_and_counts_all() {
        let day = |number: u64| NaiveDate::from_ymd_opt(2025, 1, 1).unwrap() + chrono::Days::new(number);
        let sources = (0..1_000).map(|number| Source { origin: Origin::Sweep, reported_on: day(number) }).collect();
        let signal = Signal {
            id: SignalId(uuid::Uuid::nil()),
            household: HouseholdId(uuid::Uuid::nil()),
            region: RegionCode::parse("441823107200").unwrap(),
            cause: Risk::Illness,
            sources,
            decision: None,
            case: None,
            version: 1,
        };
        let shown = v1::Signal::from(signal);
        assert_eq!((shown.sources.len(), shown.source_count), (20, 1_000));
        assert_eq!(shown.sources[0].reported_on, Some(day(0).into()));
        assert_eq!(shown.sources[19].reported_on, Some(day(19).into()));
    }
}
