//! Matches warnings with the people that they are about, after both were committed.

use std::collections::{BTreeSet, HashSet};

use sqlx::{PgConnection, PgPool};
use tongxin_platform::{db::Scope, error::chain, request::Context};
use tracing::warn;

use crate::{
    error::Error,
    store::{
        keys::Hash,
        match_queue::{self, Entry},
        signals::{self, Left},
    },
};

/// Maximum number of entries in one transaction.
const ENTRIES: i64 = 100;

/// Maximum number of people in one transaction, unless a single entry has more.
const PEOPLE: usize = 5_000;

/// Matches some of the queue, and returns whether there may be more. If that fails, each entry is matched by itself; if
/// an entry fails, each person.
pub async fn match_waiting(pool: &PgPool, context: &Context) -> Result<bool, Error> {
    // If the commit is lost, the entries are still in the queue.
    let mut tx = Scope::EVERYWHERE.write_again(pool).await?;
    let mut entries = match_queue::due(&mut tx, ENTRIES).await?;
    entries.truncate(within(PEOPLE, &entries));
    if entries.is_empty() {
        return Ok(false);
    }
    if settle(&mut tx, context, &entries).await.is_ok() {
        tx.commit().await?;
    } else {
        tx.rollback().await?;
        for entry in &entries {
            alone(pool, context, entry.id).await?;
        }
    }
    Ok(true)
}

/// How many of the entries have at most `people` people in total, but at least one.
fn within(people: usize, entries: &[Entry]) -> usize {
    let mut sum = 0;
    let fit = entries.iter().take_while(|entry| {
        sum += entry.people.len();
        sum <= people
    });
    fit.count().max(1)
}

async fn alone(pool: &PgPool, context: &Context, id: i64) -> Result<(), Error> {
    let mut tx = Scope::EVERYWHERE.write_again(pool).await?;
    let Some(entry) = match_queue::find(&mut tx, id).await? else { return Ok(()) };
    let entry = std::slice::from_ref(&entry);
    let Err(error) = settle(&mut tx, context, entry).await else { return Ok(tx.commit().await?) };
    tx.rollback().await?;
    let mut tx = Scope::EVERYWHERE.write_again(pool).await?;
    match entry {
        [Entry { people, attempts, .. }] if people.len() == 1 => {
            let failed = attempts + 1;
            warn!(entry = id, failed, error = chain(&error), "a person is not matched with warnings, and is put off");
            match_queue::put_off(&mut tx, id).await?;
        }
        _ => match_queue::part(&mut tx, id).await?,
    }
    Ok(tx.commit().await?)
}

async fn settle(conn: &mut PgConnection, context: &Context, entries: &[Entry]) -> Result<(), Error> {
    let people: BTreeSet<Hash> = entries.iter().flat_map(|entry| &entry.people).copied().collect();
    let people: Vec<Hash> = people.into_iter().collect();
    let Left { more, held } = signals::match_people(conn, context, &people).await?;
    let has_any = |entry: &&Entry, of: &HashSet<Hash>| entry.people.iter().any(|person| of.contains(person));
    let (more, others): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| has_any(entry, &more));
    let (held, done): (Vec<&Entry>, Vec<&Entry>) = others.into_iter().partition(|entry| has_any(entry, &held));
    match_queue::put_behind(conn, &ids(&more)).await?;
    match_queue::put_by(conn, &ids(&held)).await?;
    match_queue::take_out(conn, &ids(&done)).await
}

fn ids(entries: &[&Entry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.id).collect()
}
