//! What pairing's events add to which figure.

use prost::Name as _;
use tongxin_platform::consumer::{Envelope, HandlerError};
use tongxin_proto::{
    pairing::v1::{
        JointActivityHeld, JointActivityVoided, OrganisationPairedChanged, OrganisationSide, PairingKind,
        RegionAssistanceChanged, VillageCoverageChanged,
    },
    register::v1::RegionLevel,
};

use super::{
    effects::{Effects, pass_over},
    events::{add, change, decode},
};
use crate::domain::indicators::pairing::{
    ASSISTED_VILLAGES, JOINT_ACTIVITIES, RECIPIENT_SCHOOLS_PAIRED, SUPPORTER_PARTY_ORGANISATIONS_PAIRED,
    SUPPORTER_SCHOOLS_PAIRED, VILLAGES_DUAL_COVERED, VILLAGES_PARTY_PAIRED,
};

/// Adds what follows from an event.
pub(super) fn read(event: &Envelope, effects: &mut Effects) -> Result<(), HandlerError> {
    match event.event_type.strip_prefix("tongxin.pairing.v1.") {
        Some(RegionAssistanceChanged::NAME) => assistance_changed(event, effects),
        Some(VillageCoverageChanged::NAME) => coverage_changed(event, effects),
        Some(OrganisationPairedChanged::NAME) => paired_changed(event, effects),
        Some(JointActivityHeld::NAME) => activity_held(event, effects),
        Some(JointActivityVoided::NAME) => activity_voided(event, effects),
        _ => pass_over(&event.event_type),
    }
}

/// Towns are assisted as well, but only villages are counted.
fn assistance_changed(event: &Envelope, effects: &mut Effects) -> Result<(), HandlerError> {
    let stated: RegionAssistanceChanged = decode(event)?;
    if stated.level() != RegionLevel::Village {
        return Ok(());
    }
    let amount = change(stated.change)?;
    add(event, effects, &ASSISTED_VILLAGES, (&stated.region_code, stated.occurred_on, amount), &stated.region_code)
}

fn coverage_changed(event: &Envelope, effects: &mut Effects) -> Result<(), HandlerError> {
    let stated: VillageCoverageChanged = decode(event)?;
    let indicator = match stated.rule.as_str() {
        "party" => &VILLAGES_PARTY_PAIRED,
        "dual" => &VILLAGES_DUAL_COVERED,
        // Rules are configuration; figures are made of these two.
        _ => return Ok(()),
    };
    let amount = change(stated.change)?;
    add(event, effects, indicator, (&stated.region_code, stated.occurred_on, amount), &stated.region_code)
}

fn paired_changed(event: &Envelope, effects: &mut Effects) -> Result<(), HandlerError> {
    let stated: OrganisationPairedChanged = decode(event)?;
    let indicator = match (stated.side(), stated.pairing_kind()) {
        (OrganisationSide::Supporter, PairingKind::Party) => &SUPPORTER_PARTY_ORGANISATIONS_PAIRED,
        (OrganisationSide::Supporter, PairingKind::School) => &SUPPORTER_SCHOOLS_PAIRED,
        (OrganisationSide::Recipient, PairingKind::School) => &RECIPIENT_SCHOOLS_PAIRED,
        (OrganisationSide::Recipient, PairingKind::Party)
        | (
            OrganisationSide::Supporter | OrganisationSide::Recipient,
            PairingKind::Hospital | PairingKind::Enterprise,
        ) => return Ok(()),
        (OrganisationSide::Unspecified, _) | (_, PairingKind::Unspecified) => {
            return Err(HandlerError::reject("side and kind of pairing are needed"));
        }
    };
    for paired in &stated.changes {
        let amount = change(paired.change)?;
        add(event, effects, indicator, (&paired.region_code, paired.occurred_on, amount), &stated.organisation_id)?;
    }
    Ok(())
}

fn activity_held(event: &Envelope, effects: &mut Effects) -> Result<(), HandlerError> {
    let stated: JointActivityHeld = decode(event)?;
    add(event, effects, &JOINT_ACTIVITIES, (&stated.region_code, stated.held_on, 1), &stated.activity_id)
}

/// Counts against the day on which it was said to be held.
fn activity_voided(event: &Envelope, effects: &mut Effects) -> Result<(), HandlerError> {
    let stated: JointActivityVoided = decode(event)?;
    add(event, effects, &JOINT_ACTIVITIES, (&stated.region_code, stated.held_on, -1), &stated.activity_id)
}
