//! Keeps facts and regions in step with the services' events.

use sqlx::PgConnection;
use tongxin_platform::{
    consumer::{Envelope, EventHandler, HandlerError},
    register::Register,
};

use super::{effects::Effects, monitoring, pairing};
use crate::store::facts;

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
