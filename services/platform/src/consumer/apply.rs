//! Handles events and moves the cursor, in one transaction.

use std::cmp::Ordering;

use sqlx::{PgConnection, PgPool};
use tracing::error;

use super::{
    Envelope, EventHandler, Progress,
    cursor::{self, Cursor},
    fault::Fault,
    handle::{ApplyError, handle},
    parked,
    proven::{Claim, Proven, Slice, follow},
    source::{Head, LogClient},
};
use crate::db::Scope;

/// What handling the events of one source needs.
pub(super) struct Apply<'consumer, H> {
    pub pool: &'consumer PgPool,
    pub name: &'static str,
    pub source: &'static str,
    pub handler: &'consumer H,
    pub progress: &'consumer Progress,
}

impl<H: EventHandler> Apply<'_, H> {
    /// Handles events in one transaction, or one by one if one of them has to be parked. Returns the new cursor.
    pub(super) async fn run(&self, events: &Proven) -> Result<Cursor, Fault> {
        match self.all(&events.all()).await {
            Err(ApplyError::Event(_)) => self.one_by_one(events).await,
            Err(ApplyError::Fault(fault)) => Err(fault),
            Ok(cursor) => Ok(cursor),
        }
    }

    async fn all(&self, slice: &Slice<'_>) -> Result<Cursor, ApplyError> {
        // A crash loses cursor and effects together, and the source's log has the events.
        let mut tx = Scope::EVERYWHERE.write_again(self.pool).await?;
        let cursor = self.all_within(&mut tx, slice).await?;
        tx.commit().await?;
        Ok(cursor)
    }

    /// Handles events within the transaction that `conn` is in.
    pub(super) async fn all_within(&self, conn: &mut PgConnection, slice: &Slice<'_>) -> Result<Cursor, ApplyError> {
        self.lock(conn, slice).await?;
        let waiting = parked::aggregates(conn, self.name, self.source).await?;
        if slice.events.iter().any(|event| waiting.contains(&event.aggregate_id)) {
            return Err(ApplyError::Event("an earlier event of the aggregate is parked".to_owned()));
        }
        handle(self.handler, self.name, conn, slice.events).await?;
        let cursor = slice.to();
        cursor::save(conn, self.name, self.source, &cursor).await?;
        Ok(cursor)
    }

    /// Locks the cursor, and makes sure that it is where the proof of the events begins; the proof holds from nowhere
    /// else.
    async fn lock(&self, conn: &mut PgConnection, slice: &Slice<'_>) -> Result<(), Fault> {
        if cursor::lock(conn, self.name, self.source).await? == slice.from { Ok(()) } else { Err(Fault::Moved) }
    }

    async fn one_by_one(&self, events: &Proven) -> Result<Cursor, Fault> {
        let mut reached = Cursor::default();
        for slice in events.one_by_one() {
            reached = match self.all(&slice).await {
                Ok(cursor) => cursor,
                Err(ApplyError::Fault(fault)) => return Err(fault),
                Err(ApplyError::Event(reason)) => self.park(&slice, &reason).await?,
            };
        }
        Ok(reached)
    }

    async fn park(&self, slice: &Slice<'_>, reason: &str) -> Result<Cursor, Fault> {
        let mut tx = Scope::EVERYWHERE.write(self.pool).await?;
        let cursor = self.park_within(&mut tx, slice, reason).await?;
        tx.commit().await?;
        Ok(cursor)
    }

    /// Parks the one event of a slice.
    pub(super) async fn park_within(
        &self,
        conn: &mut PgConnection,
        slice: &Slice<'_>,
        reason: &str,
    ) -> Result<Cursor, Fault> {
        self.lock(conn, slice).await?;
        for event in slice.events {
            let (consumer, source) = (self.name, self.source);
            error!(consumer, source, seq = event.seq, event.event_type, reason, "an event was parked");
            parked::keep(conn, self.name, event, reason).await?;
        }
        let cursor = slice.to();
        cursor::save(conn, self.name, self.source, &cursor).await?;
        Ok(cursor)
    }

    /// Events that were read from the log after a cursor; they have to continue its chain.
    pub(super) fn of_log(&self, from: Cursor, events: Vec<Envelope>, stated: &[u8]) -> Result<Proven, Fault> {
        let seq = from.seq;
        if !follow(&from, &events) {
            return Err(Fault::Gap(seq));
        }
        Claim::over(from, events).ends_in(stated).map_err(|_| {
            self.progress.log_went_back();
            Fault::LogAltered(seq)
        })
    }

    /// Makes sure that the cursor is in the epoch of the source's log. A log of a newer epoch replaces the old one.
    ///
    /// Only the log is believed about epochs; a message of the broker with another epoch counts as a gap.
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
            cursor = Cursor::at_start(epoch);
            cursor::save(&mut tx, self.name, self.source, &cursor).await?;
        }
        tx.commit().await?;
        Ok(cursor)
    }
}
