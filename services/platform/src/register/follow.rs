//! Keeps the register in step with the log of the service that owns it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use prost::{Message as _, Name as _};
use sqlx::PgConnection;
use tongxin_proto::{
    Date,
    names::Named as _,
    register::v1::{self, RegionsRecorded},
};

use super::{Region, RegionLevel};
use crate::{
    consumer::{Envelope, EventHandler, HandlerError},
    region::RegionCode,
};

/// Keeps the newest statement of each region. A region belongs to the log that stated it first.
#[derive(Debug, Clone, Copy)]
pub struct Register;

impl EventHandler for Register {
    async fn handle(&self, conn: &mut PgConnection, events: &[Envelope]) -> Result<(), HandlerError> {
        // One statement cannot write a row twice, and locks rows in the order of their keys.
        let mut newest = BTreeMap::new();
        for event in events.iter().filter(|event| event.event_type == RegionsRecorded::full_name()) {
            let stated = RegionsRecorded::decode(event.payload.as_slice()).map_err(HandlerError::reject)?;
            for region in stated.regions {
                let region = Region::read(region)?;
                newest.insert(region.region_code, (region, event));
            }
        }
        if newest.is_empty() { Ok(()) } else { save(conn, newest.into_values()).await }
    }

    async fn forget(&self, conn: &mut PgConnection, source: &'static str) -> Result<(), sqlx::Error> {
        sqlx::query!("DELETE FROM region WHERE source = $1", source).execute(conn).await?;
        Ok(())
    }
}

impl Region {
    fn read(stated: v1::Region) -> Result<Self, HandlerError> {
        let needed = |what: &str| HandlerError::reject(format!("a region's {what} is needed"));
        let code = |text: &str| RegionCode::parse(text).map_err(HandlerError::reject);
        let date = |date: Date| NaiveDate::try_from(date).map_err(|_| needed("day of the calendar"));
        Ok(Self {
            region_code: code(&stated.code)?,
            level: RegionLevel::read(stated.level).ok_or_else(|| needed("level"))?,
            parent_code: Some(stated.parent_code.as_str()).filter(|text| !text.is_empty()).map(code).transpose()?,
            valid_from: date(stated.valid_from.ok_or_else(|| needed("first day"))?)?,
            valid_until: stated.valid_until.map(date).transpose()?,
            name: stated.name,
        })
    }
}

async fn save<'event>(
    conn: &mut PgConnection,
    stated: impl Iterator<Item = (Region, &'event Envelope)>,
) -> Result<(), HandlerError> {
    let (regions, events): (Vec<Region>, Vec<&Envelope>) = stated.unzip();
    sqlx::query!(
        r#"
        INSERT INTO region (region_code, name, level, parent_code, valid_from, valid_until, source, epoch, seq)
        SELECT *
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::date[], $6::date[], $7::text[],
                    $8::bigint[], $9::bigint[])
        ON CONFLICT (region_code) DO UPDATE
        SET name = excluded.name,
            level = excluded.level,
            parent_code = excluded.parent_code,
            valid_from = excluded.valid_from,
            valid_until = excluded.valid_until,
            epoch = excluded.epoch,
            seq = excluded.seq
        -- An event that was parked comes after newer ones.
        WHERE region.source = excluded.source AND (region.epoch, region.seq) < (excluded.epoch, excluded.seq)
        "#,
        &column(&regions, |region| region.region_code) as &[RegionCode],
        &column(&regions, |region| region.name.as_str()) as &[&str],
        &column(&regions, |region| region.level) as &[RegionLevel],
        &column(&regions, |region| region.parent_code) as &[Option<RegionCode>],
        &column(&regions, |region| region.valid_from),
        &column(&regions, |region| region.valid_until) as &[Option<NaiveDate>],
        &column(&events, |event| event.source) as &[&str],
        &column(&events, |event| event.epoch),
        &column(&events, |event| event.seq),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A column of rows that are written together.
fn column<'row, Row, T>(rows: &'row [Row], of: impl FnMut(&'row Row) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}
