//! Keeps the register of regions in step with pairing's.

use prost::{Message as _, Name as _};
use sqlx::PgConnection;
use tongxin_platform::{
    consumer::{Envelope, EventHandler, HandlerError},
    region::RegionCode,
};
use tongxin_proto::{
    Date,
    register::v1::{Region as Stated, RegionLevel, RegionsRecorded},
    words::Word as _,
};

use crate::store::regions::{self, Region};

/// Keeps the register of regions.
pub struct Register;

impl EventHandler for Register {
    async fn handle(&self, conn: &mut PgConnection, events: &[Envelope]) -> Result<(), HandlerError> {
        let mut recorded = Vec::new();
        for event in events.iter().filter(|event| event.event_type == RegionsRecorded::full_name()) {
            let stated = RegionsRecorded::decode(event.payload.as_slice()).map_err(HandlerError::reject)?;
            for region in stated.regions {
                recorded.push(read(region, event)?);
            }
        }
        regions::save(conn, recorded).await?;
        Ok(())
    }

    async fn forget(&self, conn: &mut PgConnection, _: &'static str) -> Result<(), sqlx::Error> {
        regions::forget(conn).await
    }
}

fn read(stated: Stated, event: &Envelope) -> Result<Region, HandlerError> {
    let level = match stated.level() {
        RegionLevel::Unspecified => return Err(HandlerError::reject("a region's level is needed")),
        level => level.word(),
    };
    let date = |date: Date| date.try_into().map_err(|_| HandlerError::reject("a day of the calendar is needed"));
    let valid_from = stated.valid_from.ok_or_else(|| HandlerError::reject("a first day is needed"))?;
    Ok(Region {
        code: RegionCode::parse(&stated.code).map_err(HandlerError::reject)?,
        name: stated.name,
        level,
        valid_from: date(valid_from)?,
        valid_until: stated.valid_until.map(date).transpose()?,
        epoch: event.epoch,
        seq: event.seq,
    })
}
