//! Keeps the names of regions in step with pairing's register.

use std::collections::BTreeMap;

use prost::{Message as _, Name as _};
use sqlx::PgConnection;
use tongxin_platform::{
    consumer::{Envelope, EventHandler, HandlerError},
    region::RegionCode,
};
use tongxin_proto::pairing::v1::RegionsRecorded;

use crate::store::regions;

/// Keeps the names of regions.
pub struct RegionNames;

impl EventHandler for RegionNames {
    async fn handle(&self, conn: &mut PgConnection, events: &[Envelope]) -> Result<(), HandlerError> {
        let mut names = BTreeMap::new();
        for event in events.iter().filter(|event| event.event_type == RegionsRecorded::full_name()) {
            let stated = RegionsRecorded::decode(event.payload.as_slice()).map_err(HandlerError::reject)?;
            for region in stated.regions {
                names.insert(RegionCode::parse(&region.code).map_err(HandlerError::reject)?, region.name);
            }
        }
        Ok(regions::save(conn, names).await?)
    }

    async fn forget(&self, conn: &mut PgConnection, _: &'static str) -> Result<(), sqlx::Error> {
        regions::forget(conn).await
    }
}
