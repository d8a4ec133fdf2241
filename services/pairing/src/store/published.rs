//! Domain events as the contract's messages.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use tongxin_platform::{
    log::NewEvent,
    region::RegionCode,
    register::{Region, RegionLevel},
    request::Context,
};
use tongxin_proto::{pairing::v1, register};

use crate::domain::{
    OrganisationId,
    activity::Activity,
    book::{CountChange, Counted},
    credit_code::CreditCode,
    organisation::{Organisation, OrganisationEvent, Side},
    pairing::Pairing,
};

const ACTIVITY: &str = "activity";
const ORGANISATION: &str = "organisation";
const PAIRING: &str = "pairing";
const REGION: &str = "region";

pub(super) fn organisation(organisation: &Organisation, event: &OrganisationEvent, context: &Context) -> NewEvent {
    let Organisation { id, draft, .. } = organisation;
    match event {
        OrganisationEvent::Registered => {
            let payload = v1::OrganisationRegistered {
                organisation_id: id.to_string(),
                name: draft.name.clone(),
                kind: v1::OrganisationKind::from(draft.kind).into(),
                side: v1::OrganisationSide::from(draft.side).into(),
                host_kind: draft.host_kind.map(v1::OrganisationKind::from).unwrap_or_default().into(),
                region_code: draft.region.to_string(),
            };
            NewEvent::new((ORGANISATION, id), draft.region, context.today(), &payload)
        }
        OrganisationEvent::Changed(previous_name, previous_code) => {
            let text = |code: &Option<CreditCode>| code.as_ref().map_or("", CreditCode::as_str).to_owned();
            let payload = v1::OrganisationChanged {
                organisation_id: id.to_string(),
                region_code: draft.region.to_string(),
                name: draft.name.clone(),
                previous_name: previous_name.clone(),
                credit_code: text(&draft.credit_code),
                previous_credit_code: text(previous_code),
            };
            NewEvent::new((ORGANISATION, id), draft.region, context.today(), &payload)
        }
        OrganisationEvent::Closed { on } => {
            let payload = v1::OrganisationClosed {
                organisation_id: id.to_string(),
                region_code: draft.region.to_string(),
                closed_on: Some((*on).into()),
            };
            NewEvent::new((ORGANISATION, id), draft.region, *on, &payload)
        }
    }
}

pub(super) fn established(pairing: &Pairing) -> NewEvent {
    let Pairing { id, draft, region, .. } = pairing;
    let payload = v1::PairingEstablished {
        pairing_id: id.to_string(),
        kind: v1::PairingKind::from(draft.kind).into(),
        supporter_id: draft.supporter.to_string(),
        recipient_id: draft.recipient.to_string(),
        region_code: region.to_string(),
        starts_on: Some(draft.period.starts_on().into()),
        ends_on: draft.period.ends_on().map(Into::into),
    };
    NewEvent::new((PAIRING, id), *region, draft.period.starts_on(), &payload)
}

pub(super) fn ended(pairing: &Pairing, ends_on: NaiveDate) -> NewEvent {
    let Pairing { id, draft, region, .. } = pairing;
    let payload = v1::PairingEnded {
        pairing_id: id.to_string(),
        kind: v1::PairingKind::from(draft.kind).into(),
        supporter_id: draft.supporter.to_string(),
        recipient_id: draft.recipient.to_string(),
        region_code: region.to_string(),
        ends_on: Some(ends_on.into()),
    };
    NewEvent::new((PAIRING, id), *region, ends_on, &payload)
}

/// Its business date is today, whatever day the pairing began.
pub(super) fn voided(pairing: &Pairing, context: &Context) -> NewEvent {
    let Pairing { id, draft, region, .. } = pairing;
    let payload = v1::PairingVoided {
        pairing_id: id.to_string(),
        kind: v1::PairingKind::from(draft.kind).into(),
        supporter_id: draft.supporter.to_string(),
        recipient_id: draft.recipient.to_string(),
        region_code: region.to_string(),
        starts_on: Some(draft.period.starts_on().into()),
        ends_on: draft.period.ends_on().map(Into::into),
    };
    NewEvent::new((PAIRING, id), *region, context.today(), &payload)
}

pub(super) fn activity_voided(activity: &Activity, context: &Context) -> NewEvent {
    let Activity { id, draft, region, .. } = activity;
    let payload = v1::JointActivityVoided {
        activity_id: id.to_string(),
        pairing_id: draft.pairing.to_string(),
        kind: v1::ActivityKind::from(draft.kind).into(),
        held_on: Some(draft.held_on.into()),
        participants: draft.participants,
        region_code: region.to_string(),
    };
    NewEvent::new((ACTIVITY, id), *region, context.today(), &payload)
}

pub(super) fn activity(activity: &Activity) -> NewEvent {
    let Activity { id, draft, region, .. } = activity;
    let payload = v1::JointActivityHeld {
        activity_id: id.to_string(),
        pairing_id: draft.pairing.to_string(),
        kind: v1::ActivityKind::from(draft.kind).into(),
        held_on: Some(draft.held_on.into()),
        participants: draft.participants,
        region_code: region.to_string(),
    };
    NewEvent::new((ACTIVITY, id), *region, draft.held_on, &payload)
}

/// One event for each organisation, with all its changes. The aggregate is the pairing that caused them, because an
/// organisation's pairings in several regions change concurrently.
pub(super) fn organisations_paired(pairing: &Pairing, changes: &[CountChange]) -> Vec<NewEvent> {
    let mut by_organisation: BTreeMap<OrganisationId, (Side, Vec<v1::PairedChange>)> = BTreeMap::new();
    for CountChange { counted, on, change } in changes {
        if let Counted::Organisation { id, side, region, .. } = counted {
            let change =
                v1::PairedChange { region_code: region.to_string(), occurred_on: Some((*on).into()), change: *change };
            by_organisation.entry(*id).or_insert((*side, Vec::new())).1.push(change);
        }
    }
    let event = |(id, (side, changes)): (OrganisationId, (Side, Vec<v1::PairedChange>))| {
        let payload = v1::OrganisationPairedChanged {
            organisation_id: id.to_string(),
            side: v1::OrganisationSide::from(side).into(),
            pairing_kind: v1::PairingKind::from(pairing.draft.kind).into(),
            changes,
        };
        NewEvent::new((PAIRING, pairing.id), pairing.region, pairing.draft.period.starts_on(), &payload)
    };
    by_organisation.into_iter().map(event).collect()
}

/// One event for each change of a village's coverage.
pub(super) fn coverage(changes: &[CountChange]) -> Vec<NewEvent> {
    let mut events = Vec::new();
    for CountChange { counted, on, change } in changes {
        if let Counted::Village { region, rule } = counted {
            let payload = v1::VillageCoverageChanged {
                region_code: region.to_string(),
                rule: rule.clone(),
                occurred_on: Some((*on).into()),
                change: *change,
            };
            events.push(NewEvent::new((REGION, region), *region, *on, &payload));
        }
    }
    events
}

/// One event for some regions of one county, or of one region above counties.
pub(super) fn regions_recorded(of: RegionCode, regions: &[Region], on: NaiveDate) -> NewEvent {
    let payload =
        register::v1::RegionsRecorded { regions: regions.iter().cloned().map(register::v1::Region::from).collect() };
    NewEvent::new((REGION, of), of, on, &payload)
}

pub(super) fn assistance(region: RegionCode, level: RegionLevel, on: NaiveDate, change: i32) -> NewEvent {
    let payload = v1::RegionAssistanceChanged {
        region_code: region.to_string(),
        level: register::v1::RegionLevel::from(level).into(),
        occurred_on: Some(on.into()),
        change,
    };
    NewEvent::new((REGION, region), region, on, &payload)
}
