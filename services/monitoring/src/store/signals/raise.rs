//! Turns reports into signals, or joins them to open ones.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{
    log::{self, NewEvent},
    request::Context,
};
use uuid::Uuid;

use super::sources;
use crate::{
    domain::{
        HouseholdId, SignalId,
        risk::Risk,
        signal::{CountedPeriods, Report, Signal, Source, changes},
    },
    error::Error,
    store::published,
};

/// The outcome of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raised {
    pub signal: SignalId,
    /// Whether the signal existed before.
    pub joined: bool,
}

/// In this order signals are locked.
type Key = (HouseholdId, Risk);

/// A locked signal while reports join it.
struct Held {
    signal: Signal,
    /// Number of its stored sources; 0 for a new signal.
    kept: usize,
    before: CountedPeriods,
}

/// Raises signals for reports, or joins reports to the open signals of the same household and cause. The caller has
/// locked the households.
pub async fn raise(conn: &mut PgConnection, context: &Context, reports: &[Report]) -> Result<Vec<Raised>, Error> {
    if reports.is_empty() {
        return Ok(Vec::new());
    }
    let homes = lived_there_since(conn, reports).await?;
    let mut held = open_signals(conn, context, reports, &homes).await?;
    let mut raised = Vec::with_capacity(reports.len());
    for report in reports {
        let Some(held) = held.get_mut(&(report.household, report.cause)) else {
            return Err(Error::Corrupt(format!("no open signal of household {}", report.household)));
        };
        raised.push(take(held, report));
    }
    save(conn, context, held.into_values(), &homes).await?;
    Ok(raised)
}

/// The first report of a new signal is the one that raises it.
fn take(held: &mut Held, report: &Report) -> Raised {
    let joined = !held.signal.sources.is_empty();
    held.signal.join(Source { origin: report.origin, reported_on: report.reported_on });
    Raised { signal: held.signal.id, joined }
}

impl Held {
    /// One event for each new source, which raised or joined the signal. The last one carries the changes of counts.
    fn told(&self, homes: &HashMap<HouseholdId, NaiveDate>) -> impl Iterator<Item = NewEvent> {
        let Self { signal, kept, before } = self;
        let changes = changes(before, &CountedPeriods::of(signal, homes.get(&signal.household).copied(), None));
        let last = signal.sources.len().saturating_sub(1);
        let told = move |(place, source): (usize, &Source)| {
            let changes = if place == last { &*changes } else { &[] };
            published::signals::raised(signal, *source, place > 0, changes)
        };
        signal.sources.iter().enumerate().skip(*kept).map(told)
    }
}

async fn save(
    conn: &mut PgConnection,
    context: &Context,
    held: impl Iterator<Item = Held>,
    homes: &HashMap<HouseholdId, NaiveDate>,
) -> Result<(), Error> {
    let mut changed: Vec<Held> = held.filter(|held| held.signal.sources.len() > held.kept).collect();
    for held in &mut changed {
        // A new one has its version already.
        held.signal.version += i64::from(held.kept > 0);
    }
    sources::add(conn, changed.iter().map(|held| (&held.signal, held.kept))).await?;
    let ids: Vec<Uuid> = changed.iter().map(|held| held.signal.id.0).collect();
    let days: Vec<NaiveDate> = changed.iter().map(|held| held.signal.reported_on()).collect();
    let versions: Vec<i64> = changed.iter().map(|held| held.signal.version).collect();
    sqlx::query!(
        r#"
        UPDATE signal
        SET reported_on = joined.reported_on,
            version = joined.version
        FROM unnest($1::uuid[], $2::date[], $3::bigint[]) AS joined (signal_id, reported_on, version)
        WHERE signal.signal_id = joined.signal_id
            AND (signal.reported_on, signal.version) <> (joined.reported_on, joined.version)
        "#,
        &ids,
        &days,
        &versions,
    )
    .execute(&mut *conn)
    .await?;
    let events: Vec<NewEvent> = changed.iter().flat_map(|held| held.told(homes)).collect();
    log::append(conn, context, &events).await?;
    Ok(())
}

/// Locks the open signal of each household and cause, after inserting it if there is none: concurrent reports wait here
/// for each other.
async fn open_signals(
    conn: &mut PgConnection,
    context: &Context,
    reports: &[Report],
    homes: &HashMap<HouseholdId, NaiveDate>,
) -> Result<BTreeMap<Key, Held>, Error> {
    let mut new: BTreeMap<Key, Signal> = BTreeMap::new();
    let mut first_days: BTreeMap<Key, NaiveDate> = BTreeMap::new();
    for report in reports {
        let key = (report.household, report.cause);
        let signal = || Signal { sources: Vec::new(), ..Signal::raise(SignalId(context.new_id()), report) };
        new.entry(key).or_insert_with(signal);
        let first = first_days.entry(key).or_insert(report.reported_on);
        *first = report.reported_on.min(*first);
    }
    let ids: Vec<Uuid> = new.values().map(|signal| signal.id.0).collect();
    let households: Vec<Uuid> = new.values().map(|signal| signal.household.0).collect();
    let regions: Vec<i64> = new.values().map(|signal| signal.region.number()).collect();
    let causes: Vec<&str> = new.values().map(|signal| signal.cause.name()).collect();
    let days: Vec<NaiveDate> = first_days.into_values().collect();
    let open = sqlx::query!(
        r#"
        INSERT INTO signal (signal_id, household_id, region_code, cause, state, reported_on, reason, version)
        SELECT signal_id, household_id, region_code, cause, 'open', reported_on, '', 1
        FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::date[]) WITH ORDINALITY
            AS new (signal_id, household_id, region_code, cause, reported_on, position)
        ORDER BY position
        ON CONFLICT (household_id, cause) WHERE cause IS NOT NULL AND state = 'open' DO UPDATE
        SET version = signal.version
        RETURNING signal_id, household_id, cause, version
        "#,
        &ids,
        &households,
        &regions,
        &causes as &[&str],
        &days,
    )
    .fetch_all(&mut *conn)
    .await?;
    let found: Vec<Uuid> = open.iter().map(|row| row.signal_id).collect();
    let mut sources = sources::of(conn, &found).await?;
    let mut held = BTreeMap::new();
    for row in open {
        let cause = super::named(Risk::by_name(&row.cause), &row.cause)?;
        let key = (HouseholdId(row.household_id), cause);
        let Some(signal) = new.remove(&key) else { continue };
        let (id, own) = (SignalId(row.signal_id), sources.remove(&SignalId(row.signal_id)).unwrap_or_default());
        let signal = Signal { id, sources: own, version: row.version, ..signal };
        let kept = signal.sources.len();
        let before = match kept {
            0 => CountedPeriods::default(),
            _ => CountedPeriods::of(&signal, homes.get(&key.0).copied(), None),
        };
        held.insert(key, Held { signal, kept, before });
    }
    Ok(held)
}

/// The day of each household's last move; households that never moved have none.
async fn lived_there_since(
    conn: &mut PgConnection,
    reports: &[Report],
) -> Result<HashMap<HouseholdId, NaiveDate>, Error> {
    let ids: Vec<Uuid> = reports.iter().map(|report| report.household.0).collect();
    let moved = sqlx::query!(
        r#"
        SELECT household_id, moved_on AS "moved_on!"
        FROM household
        WHERE household_id = ANY($1) AND moved_on IS NOT NULL
        "#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(moved.into_iter().map(|row| (HouseholdId(row.household_id), row.moved_on)).collect())
}
