//! Events of signals.

use tongxin_platform::{log::NewEvent, region::RegionCode, request::Context};
use tongxin_proto::monitoring::v1;

use super::counts::{as_event, count_changed};
use crate::domain::signal::{CountChange, Counted, Decision, Department, Signal, Source};

const SIGNAL: &str = "signal";

/// A report raised or joined a signal, with the changes of its village's counts.
pub fn raised(signal: &Signal, source: Source, joined: bool, changes: &[CountChange]) -> NewEvent {
    let payload = v1::SignalRaised {
        signal_id: signal.id.to_string(),
        household_id: signal.household.to_string(),
        region_code: signal.region.to_string(),
        kind: v1::SignalKind::from(source.origin.kind()).into(),
        department: source.origin.department().map(v1::Department::from).unwrap_or_default().into(),
        cause: v1::Risk::from(signal.cause).into(),
        reported_on: Some(source.reported_on.into()),
        joined,
        counts: counts(signal, signal.region, changes),
    };
    NewEvent::new((SIGNAL, signal.id), signal.region, source.reported_on, &payload)
}

/// A signal was decided, with the changes of its village's counts.
pub fn decided(signal: &Signal, changes: &[CountChange]) -> NewEvent {
    let (verified, on) = signal
        .decision
        .as_ref()
        .map_or((false, signal.reported_on()), |Decision { verified, on, .. }| (*verified, *on));
    let payload = v1::SignalDecided {
        signal_id: signal.id.to_string(),
        household_id: signal.household.to_string(),
        region_code: signal.region.to_string(),
        verified,
        decided_on: Some(on.into()),
        counts: counts(signal, signal.region, changes),
    };
    NewEvent::new((SIGNAL, signal.id), signal.region, on, &payload)
}

/// A signal's contribution to the counts of a village changes, although the signal itself does not.
pub fn counted(signal: &Signal, region: RegionCode, changes: &[CountChange]) -> Vec<NewEvent> {
    let stated = counts(signal, region, changes);
    changes.iter().zip(&stated).map(|(change, stated)| as_event(region, change.on, stated)).collect()
}

fn counts(signal: &Signal, region: RegionCode, changes: &[CountChange]) -> Vec<v1::CountChanged> {
    let stated = |CountChange { counted, on, change }: &CountChange| {
        let counted = match counted {
            Counted::OpenSignals => v1::Counted::OpenSignals,
            Counted::WarningSignals => v1::Counted::WarningSignals,
            Counted::WarningsIdentified => v1::Counted::WarningsIdentified,
        };
        count_changed(counted, signal.id.to_string(), region, *on, i64::from(*change), "", &[])
    };
    changes.iter().map(stated).collect()
}

/// A department sent new warnings.
pub fn warnings_received(context: &Context, department: Department, region: RegionCode, count: usize) -> NewEvent {
    let payload = v1::WarningsReceived {
        region_code: region.to_string(),
        department: v1::Department::from(department).into(),
        received: i64::try_from(count).unwrap_or(i64::MAX),
    };
    NewEvent::new(("submission", context.new_id()), region, context.today(), &payload)
}
