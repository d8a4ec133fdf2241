//! The hash chain that shows whether the log was altered.

use sqlx::PgPool;

use super::{link::link, read};
use crate::db::Scope;

/// The result of a successful verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Number of events whose place in the chain was checked.
    pub events: i64,
    /// Hash of the newest one; empty in an empty log.
    pub hash: Vec<u8>,
}

/// What is wrong with the chain.
#[derive(Debug, thiserror::Error)]
pub enum ChainBroken {
    /// An event was altered, or its hash was.
    #[error("event {0} does not fit its hash: it, or one before it, was altered")]
    Altered(i64),
    /// An event is missing.
    #[error("event {0} is missing")]
    Missing(i64),
    /// The head does not name the newest event.
    #[error("the head of the log says {head}, its newest event is {newest}")]
    Head {
        /// Number in `log_head`.
        head: i64,
        /// Number of the newest event.
        newest: i64,
    },
    /// Postgres failed.
    #[error("reading the log failed")]
    Database(#[from] sqlx::Error),
}

/// Verifies the whole chain, reporting after each part the number of the event reached.
///
/// # Errors
/// The first place where the chain is broken.
pub async fn verify(pool: &PgPool, mut progress: impl FnMut(i64)) -> Result<Verified, ChainBroken> {
    const PART: i64 = 5_000;
    let head = head_of_all(pool).await?;
    let mut seq = 0;
    let mut hash = Vec::new();
    while seq < head.seq {
        let entries = read::entries(pool, seq, PART.min(head.seq - seq)).await?;
        if entries.is_empty() {
            return Err(ChainBroken::Missing(seq + 1));
        }
        for entry in entries {
            seq += 1;
            if entry.seq != Some(seq) {
                return Err(ChainBroken::Missing(seq));
            }
            let expected = link(&hash, &entry.content());
            if entry.hash.as_deref() != Some(&expected[..]) {
                return Err(ChainBroken::Altered(seq));
            }
            hash = expected.to_vec();
        }
        progress(seq);
    }
    if hash != head.hash {
        return Err(ChainBroken::Head { head: head.seq, newest: seq });
    }
    Ok(Verified { events: seq, hash })
}

/// The head, which no event may be beyond.
async fn head_of_all(pool: &PgPool) -> Result<read::Head, ChainBroken> {
    // One snapshot of the log, which may be growing.
    let mut tx = Scope::EVERYWHERE.read(pool).await?;
    let head =
        sqlx::query_as!(read::Head, "SELECT epoch, seq, hash, published_seq FROM log_head").fetch_one(&mut *tx).await?;
    let newest = sqlx::query_scalar!("SELECT max(seq) FROM event").fetch_one(&mut *tx).await?.unwrap_or_default();
    tx.commit().await?;
    if newest > head.seq {
        return Err(ChainBroken::Head { head: head.seq, newest });
    }
    Ok(head)
}
