//! Replaces a log by the one of a new epoch.

use sqlx::{Connection as _, Executor as _, PgConnection};
use tracing::warn;

use super::{
    EventHandler,
    apply::Apply,
    cursor::{self, Cursor},
    fault::Fault,
    handle::ApplyError,
    parked,
    proven::{Proven, Slice},
    source::{Head, LogClient, Part, Parts},
};
use crate::db::Scope;

/// Events that are handled together: the more there are, the less often a roll-up is rewritten.
const EVENTS: usize = 5_000;

/// Bytes of their payloads.
const BYTES: usize = 16 << 20;

impl<H: EventHandler> Apply<'_, H> {
    /// Forgets the effects of the old log and applies the new one up to its head, in one transaction: until it commits,
    /// readers see the effects of the old log, afterwards those of the new one.
    pub(super) async fn begin_anew(&self, log: &mut LogClient, head: Head) -> Result<Cursor, Fault> {
        let mut tx = Scope::EVERYWHERE.write(self.pool).await?;
        let mut cursor = cursor::lock(&mut tx, self.name, self.source).await?;
        if cursor.epoch >= head.epoch {
            // Another replica was faster.
            return Ok(cursor);
        }
        warn!(consumer = self.name, source = self.source, head.epoch, "the source's log begins anew");
        // This is rare, and takes time in proportion to the events.
        tx.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '1min'").await?;
        self.handler.forget(&mut tx, self.source).await?;
        parked::forget(&mut tx, self.name, self.source).await?;
        cursor = Cursor::at_start(head.epoch);
        cursor::save(&mut tx, self.name, self.source, &cursor).await?;
        self.progress.note(&cursor, &head);
        while cursor.seq < head.seq {
            let after = cursor.seq;
            let mut parts = log.read(self.source, after).await?;
            while let Some(part) = gather(&mut parts).await? {
                let events = self.of_log(cursor, part.events, &part.hash)?;
                cursor = self.run_within(&mut tx, &events).await?;
            }
            if cursor.seq == after {
                return Err(Fault::Gap(after));
            }
        }
        self.progress.log_is_sound();
        tx.commit().await?;
        self.progress.advance(&cursor);
        Ok(cursor)
    }

    /// As [`run`](Self::run), within a transaction.
    async fn run_within(&self, tx: &mut PgConnection, events: &Proven) -> Result<Cursor, Fault> {
        match self.try_within(tx, &events.all()).await {
            Ok(cursor) => return Ok(cursor),
            Err(ApplyError::Fault(fault)) => return Err(fault),
            Err(ApplyError::Event(_)) => {}
        }
        let mut reached = Cursor::default();
        for slice in events.one_by_one() {
            reached = match self.try_within(tx, &slice).await {
                Ok(cursor) => cursor,
                Err(ApplyError::Fault(fault)) => return Err(fault),
                Err(ApplyError::Event(reason)) => self.park_within(tx, &slice, &reason).await?,
            };
        }
        Ok(reached)
    }

    async fn try_within(&self, tx: &mut PgConnection, slice: &Slice<'_>) -> Result<Cursor, ApplyError> {
        let mut savepoint = tx.begin().await?;
        let cursor = self.all_within(&mut savepoint, slice).await?;
        savepoint.commit().await?;
        Ok(cursor)
    }
}

async fn gather(parts: &mut Parts) -> Result<Option<Part>, Fault> {
    let mut gathered: Option<Part> = None;
    let mut bytes = 0;
    while gathered.as_ref().is_none_or(|part| part.events.len() < EVENTS) && bytes < BYTES {
        let Some(part) = parts.next().await? else { break };
        bytes += part.events.iter().map(|event| event.payload.len()).sum::<usize>();
        match &mut gathered {
            None => gathered = Some(part),
            Some(Part { events, hash }) => {
                events.extend(part.events);
                *hash = part.hash;
            }
        }
    }
    Ok(gathered)
}
