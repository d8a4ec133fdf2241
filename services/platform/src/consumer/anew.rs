//! Puts a log that begins anew in the place of the one before.

use sqlx::{Connection as _, Executor as _, PgConnection};
use tracing::warn;

use super::{
    Envelope, EventHandler, Fault,
    apply::{Apply, Trouble},
    cursor::{self, Cursor},
    parked,
    source::{Head, LogClient, Parts},
};
use crate::db::Scope;

/// Events that are handled together: the more, the less often a sum is written again.
const EVENTS: usize = 5_000;

/// Bytes of their payloads.
const BYTES: usize = 16 << 20;

impl<H: EventHandler> Apply<'_, H> {
    /// Forgets what the old log led to and takes the new one up to its head, all in one transaction: until it
    /// ends, whoever reads sees what the old log led to, and from then on what the new one did.
    pub(super) async fn begin_anew(&self, log: &mut LogClient, head: Head) -> Result<Cursor, Fault> {
        let mut tx = Scope::EVERYWHERE.write(self.pool).await?;
        let mut cursor = cursor::lock(&mut tx, self.name, self.source).await?;
        if cursor.epoch >= head.epoch {
            // Another replica was faster.
            return Ok(cursor);
        }
        warn!(consumer = self.name, source = self.source, head.epoch, "the source's log begins anew");
        // This is rare, and takes as long as there are events.
        tx.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '1min'").await?;
        self.handler.forget(&mut tx, self.source).await?;
        parked::forget(&mut tx, self.name, self.source).await?;
        cursor = Cursor { epoch: head.epoch, seq: 0, event_id: None };
        cursor::save(&mut tx, self.name, self.source, cursor).await?;
        self.progress.note(&cursor, &head);
        while cursor.seq < head.seq {
            let after = cursor.seq;
            let mut parts = log.read(self.source, after).await?;
            while let Some(events) = gather(&mut parts).await? {
                cursor = self.run_within(&mut tx, &events).await?;
            }
            if cursor.seq == after {
                return Err(Fault::Gap(after));
            }
        }
        tx.commit().await?;
        self.progress.advance(&cursor);
        Ok(cursor)
    }

    /// As [`run`](Self::run), within a transaction.
    async fn run_within(&self, tx: &mut PgConnection, events: &[Envelope]) -> Result<Cursor, Fault> {
        match self.try_within(tx, events).await {
            Ok(cursor) => return Ok(cursor),
            Err(Trouble::Fault(fault)) => return Err(fault),
            Err(Trouble::Event(_)) => {}
        }
        let mut reached = Cursor::default();
        for event in events {
            reached = match self.try_within(tx, std::slice::from_ref(event)).await {
                Ok(cursor) => cursor,
                Err(Trouble::Fault(fault)) => return Err(fault),
                Err(Trouble::Event(reason)) => self.park_within(tx, event, &reason).await?,
            };
        }
        Ok(reached)
    }

    async fn try_within(&self, tx: &mut PgConnection, events: &[Envelope]) -> Result<Cursor, Trouble> {
        let mut savepoint = tx.begin().await?;
        let cursor = self.all_within(&mut savepoint, events).await?;
        savepoint.commit().await?;
        Ok(cursor)
    }
}

async fn gather(parts: &mut Parts) -> Result<Option<Vec<Envelope>>, Fault> {
    let mut events = Vec::new();
    let mut bytes = 0;
    while events.len() < EVENTS && bytes < BYTES {
        let Some(part) = parts.next().await? else { break };
        bytes += part.iter().map(|event| event.payload.len()).sum::<usize>();
        events.extend(part);
    }
    Ok((!events.is_empty()).then_some(events))
}
