//! Handles events and moves the cursor, in one transaction.

use std::{cmp::Ordering, collections::HashSet, panic::AssertUnwindSafe};

use futures::FutureExt as _;
use sqlx::{PgConnection, PgPool};
use tracing::{Instrument as _, error};

use super::{
    Envelope, EventHandler, Fault, HandlerError, Progress,
    cursor::{self, Cursor},
    parked,
    source::{Head, LogClient},
};
use crate::{db::Scope, error::chain, telemetry::follow_span};

/// The means to handle the events of one source.
pub(super) struct Apply<'consumer, H> {
    pub pool: &'consumer PgPool,
    pub name: &'static str,
    pub source: &'static str,
    pub handler: &'consumer H,
    pub progress: &'consumer Progress,
}

impl<H: EventHandler> Apply<'_, H> {
    /// Handles those of the events that are next, in one transaction if all is well, and one by
    /// one if an event has to be parked. Returns the cursor reached.
    pub(super) async fn run(&self, events: Vec<Envelope>) -> Result<Cursor, Fault> {
        match self.all(&events).await {
            Err(Trouble::Event(_)) => self.one_by_one(&events).await,
            Err(Trouble::Fault(fault)) => Err(fault),
            Ok(cursor) => Ok(cursor),
        }
    }

    async fn all(&self, events: &[Envelope]) -> Result<Cursor, Trouble> {
        // Cursor and effects are lost together, and the source's log has the events.
        let mut tx = Scope::EVERYWHERE.write_again(self.pool).await?;
        let cursor = self.all_within(&mut tx, events).await?;
        tx.commit().await?;
        Ok(cursor)
    }

    /// Handles those of the events that are next, within the transaction that `conn` is in.
    pub(super) async fn all_within(&self, conn: &mut PgConnection, events: &[Envelope]) -> Result<Cursor, Trouble> {
        let mut cursor = cursor::lock(conn, self.name, self.source).await?;
        let next = next_in_order(cursor, events)?;
        let Some(last) = next.last() else { return Ok(cursor) };
        let waiting = parked::aggregates(conn, self.name, self.source).await?;
        if next.iter().any(|event| waiting.contains(&event.aggregate_id)) {
            return Err(Trouble::Event("an earlier event of the aggregate is parked".to_owned()));
        }
        handle(self.handler, self.name, conn, next).await?;
        cursor = cursor.at(last)?;
        cursor::save(conn, self.name, self.source, cursor).await?;
        Ok(cursor)
    }

    async fn one_by_one(&self, events: &[Envelope]) -> Result<Cursor, Fault> {
        let mut reached = Cursor::default();
        for event in events {
            reached = match self.all(std::slice::from_ref(event)).await {
                Ok(cursor) => cursor,
                Err(Trouble::Fault(fault)) => return Err(fault),
                Err(Trouble::Event(reason)) => self.park(event, &reason).await?,
            };
        }
        Ok(reached)
    }

    async fn park(&self, event: &Envelope, reason: &str) -> Result<Cursor, Fault> {
        let mut tx = Scope::EVERYWHERE.write(self.pool).await?;
        let cursor = self.park_within(&mut tx, event, reason).await?;
        tx.commit().await?;
        Ok(cursor)
    }

    pub(super) async fn park_within(
        &self,
        conn: &mut PgConnection,
        event: &Envelope,
        reason: &str,
    ) -> Result<Cursor, Fault> {
        error!(
            consumer = self.name,
            source = self.source,
            seq = event.seq,
            event.event_type,
            reason,
            "an event was parked"
        );
        let mut cursor = cursor::lock(conn, self.name, self.source).await?;
        if cursor.epoch == event.epoch && cursor.seq + 1 == event.seq {
            parked::keep(conn, self.name, event, reason).await?;
            cursor = cursor.at(event)?;
            cursor::save(conn, self.name, self.source, cursor).await?;
        }
        Ok(cursor)
    }

    /// Makes sure that the cursor is in the epoch that the source's log states. A log of a newer
    /// epoch is another log: it takes the place of the old one.
    ///
    /// Only the log is believed in this; a message of the broker with another epoch is a gap.
    pub(super) async fn begin_epoch(&self, log: &mut LogClient, head: Head) -> Result<Cursor, Fault> {
        let current = cursor::read(self.pool, self.name, self.source).await?;
        match head.epoch.cmp(&current.epoch) {
            Ordering::Equal => Ok(current),
            Ordering::Less => Err(Fault::EpochWentBack(head.epoch)),
            Ordering::Greater if current.epoch > 0 => self.begin_anew(log, head).await,
            Ordering::Greater => self.begin_first(head.epoch).await,
        }
    }

    async fn begin_first(&self, epoch: i64) -> Result<Cursor, Fault> {
        let mut tx = Scope::EVERYWHERE.write(self.pool).await?;
        let mut cursor = cursor::lock(&mut tx, self.name, self.source).await?;
        if cursor.epoch == 0 {
            cursor = Cursor { epoch, seq: 0, event_id: None };
            cursor::save(&mut tx, self.name, self.source, cursor).await?;
        }
        tx.commit().await?;
        Ok(cursor)
    }
}

/// Calls the handler; a panic in it is the event's fault.
pub(super) async fn handle<H: EventHandler>(
    handler: &H,
    name: &'static str,
    conn: &mut PgConnection,
    events: &[Envelope],
) -> Result<(), Trouble> {
    let causes = events.iter().map(|event| event.trace_parent.as_str());
    let work = handler.handle(conn, events).instrument(follow_span(name, causes));
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(Trouble::Event("the handler panicked".to_owned())),
    }
}

/// The events after the cursor, which have to follow it without a gap.
fn next_in_order(cursor: Cursor, events: &[Envelope]) -> Result<&[Envelope], Fault> {
    let old = |event: &&Envelope| (event.epoch, event.seq) <= (cursor.epoch, cursor.seq);
    let next = &events[events.iter().take_while(old).count()..];
    for (event, seq) in next.iter().zip(cursor.seq + 1..) {
        if event.epoch != cursor.epoch || event.seq != seq {
            return Err(Fault::Gap(seq - 1));
        }
    }
    Ok(next)
}

/// What kept an event from being handled.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The event itself: trying again is of no use.
    Event(String),
    /// Something else, which is waited out.
    Fault(Fault),
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<HandlerError> for Trouble {
    fn from(error: HandlerError) -> Self {
        match error {
            HandlerError::Rejected(reason) => Self::Event(reason),
            HandlerError::Database(error) if refuses_content(&error) => Self::Event(chain(&error)),
            HandlerError::Database(error) => Self::Fault(error.into()),
        }
    }
}

/// Classes 22 (bad data) and 23 (broken constraint) come back however often one tries.
fn refuses_content(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}

/// Aggregates whose events have to wait.
pub(super) type Waiting = HashSet<String>;
