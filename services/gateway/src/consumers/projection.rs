//! Projects the services' events to facts and regions.

use sqlx::PgConnection;
use tongxin_platform::{
    consumer::{Envelope, EventHandler, HandlerError},
    register::Register,
};

use super::{effects::Effects, monitoring, pairing};
use crate::store::facts;

/// A service whose events are projected, and how to read them.
pub struct Source {
    pub name: &'static str,
    read: fn(&Envelope, &mut Effects) -> Result<(), HandlerError>,
}

impl Source {
    pub fn projection(&self) -> Projection {
        Projection { read: self.read }
    }
}

pub const SOURCES: [Source; 2] =
    [Source { name: "pairing", read: pairing::read }, Source { name: "monitoring", read: monitoring::read }];

/// Projects the events of one source.
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
