//! What follows from the events of other services: facts, and the names of regions.

mod events;
mod monitoring;
mod pairing;

use sqlx::PgConnection;
use tongxin_platform::consumer::{Envelope, EventHandler, HandlerError};
use tongxin_proto::POOL;

use crate::{
    domain::fact::Fact,
    store::{
        facts,
        regions::{self, Region},
    },
};

/// A service whose events are followed, and what they mean.
pub struct Source {
    /// Its name.
    pub name: &'static str,
    read: fn(&Envelope, &mut Effects) -> Result<(), HandlerError>,
}

impl Source {
    /// What keeps up with its events.
    pub fn projection(&self) -> Projection {
        Projection { read: self.read }
    }
}

/// All of them.
pub const SOURCES: [Source; 2] =
    [Source { name: "pairing", read: pairing::read }, Source { name: "monitoring", read: monitoring::read }];

/// What events lead to.
#[derive(Debug, Default)]
struct Effects {
    facts: Vec<Fact>,
    regions: Vec<Region>,
}

/// Keeps facts and regions in step with the events of one source.
pub struct Projection {
    read: fn(&Envelope, &mut Effects) -> Result<(), HandlerError>,
}

impl EventHandler for Projection {
    async fn handle(&self, conn: &mut PgConnection, events: &[Envelope]) -> Result<(), HandlerError> {
        let mut effects = Effects::default();
        for event in events {
            (self.read)(event, &mut effects)?;
        }
        regions::save(conn, effects.regions).await?;
        facts::record(conn, &effects.facts).await?;
        Ok(())
    }

    async fn forget(&self, conn: &mut PgConnection, source: &'static str) -> Result<(), sqlx::Error> {
        regions::forget(conn, source).await?;
        facts::forget(conn, source).await
    }
}

/// An event that adds nothing is passed over; one that the contract does not know waits until a
/// newer gateway knows it.
fn pass_over(event_type: &str) -> Result<(), HandlerError> {
    match POOL.get_message_by_name(event_type) {
        Some(_) => Ok(()),
        None => Err(HandlerError::reject(format!("the contract does not know the event {event_type}"))),
    }
}
