//! What follows from the events of other services: facts, and the names of regions.

mod events;
mod monitoring;
mod pairing;

use sqlx::PgConnection;
use tongxin_platform::{
    consumer::{Consumer, Envelope, EventHandler, HandlerError},
    register::Register,
    service::Service,
};
use tongxin_proto::POOL;
use tonic::transport::Channel;

use crate::{domain::fact::Fact, store::facts};

/// A service whose events are followed, and what they mean.
struct Source {
    name: &'static str,
    read: fn(&Envelope, &mut Effects) -> Result<(), HandlerError>,
}

const SOURCES: [Source; 2] =
    [Source { name: "pairing", read: pairing::read }, Source { name: "monitoring", read: monitoring::read }];

/// What events lead to.
#[derive(Debug, Default)]
struct Effects {
    facts: Vec<Fact>,
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
        Register.handle(conn, events).await?;
        facts::record(conn, &effects.facts).await?;
        Ok(())
    }

    async fn forget(&self, conn: &mut PgConnection, source: &'static str) -> Result<(), sqlx::Error> {
        Register.forget(conn, source).await?;
        facts::forget(conn, source).await
    }
}

/// Consumers of the sources that can be reached, by the sources' names.
pub fn of(service: &Service, channel: impl Fn(&str) -> Option<Channel>) -> Vec<(&'static str, Consumer<Projection>)> {
    let reachable = SOURCES.into_iter().filter_map(|source| Some((channel(source.name)?, source)));
    let follow = |(channel, Source { name, read })| (name, service.follow(name, channel, Projection { read }));
    reachable.map(follow).collect()
}

/// An event that adds nothing is passed over; one that the contract does not know waits until a
/// newer gateway knows it.
fn pass_over(event_type: &str) -> Result<(), HandlerError> {
    match POOL.get_message_by_name(event_type) {
        Some(_) => Ok(()),
        None => Err(HandlerError::reject(format!("the contract does not know the event {event_type}"))),
    }
}
