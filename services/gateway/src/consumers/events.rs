//! What reading the events of all sources has in common.

use chrono::NaiveDate;
use prost::Message;
use tongxin_platform::{
    consumer::{Envelope, HandlerError},
    region::RegionCode,
};
use tongxin_proto::Date;

use super::effects::Effects;
use crate::domain::{fact::Fact, indicators::Indicator};

/// Adds what an event adds to an indicator: where, from which day on, and how much.
pub(super) fn add(
    event: &Envelope,
    effects: &mut Effects,
    indicator: &'static Indicator,
    (region_code, occurred_on, amount): (&str, Option<Date>, i64),
    subject: &str,
) -> Result<(), HandlerError> {
    let before = effects.facts.last().filter(|fact| fact.seq == event.seq);
    let position = before.map_or(0, |fact| fact.position + 1);
    effects.facts.push(Fact {
        indicator,
        region: RegionCode::parse(region_code).map_err(HandlerError::reject)?,
        occurred_on: date(occurred_on)?,
        amount,
        subject: subject.to_owned(),
        source: event.source,
        epoch: event.epoch,
        seq: event.seq,
        position,
        event_id: event.event_id,
    });
    Ok(())
}

pub(super) fn decode<Event: Message + Default>(event: &Envelope) -> Result<Event, HandlerError> {
    Event::decode(event.payload.as_slice()).map_err(HandlerError::reject)
}

fn date(stated: Option<Date>) -> Result<NaiveDate, HandlerError> {
    let date = stated.and_then(|date| NaiveDate::try_from(date).ok());
    date.ok_or_else(|| HandlerError::reject("a day of the calendar is needed"))
}

/// A change of anything but one would be a counting rule, and those live with their owner.
pub(super) fn change(stated: i32) -> Result<i64, HandlerError> {
    match stated {
        1 | -1 => Ok(stated.into()),
        other => Err(HandlerError::reject(format!("a change of {other} is neither +1 nor -1"))),
    }
}
