//! Matches warnings with the people that they are about.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{region::RegionCode, request::Context};
use uuid::Uuid;

use super::{
    named,
    raise::{Raised, raise},
    region,
};
use crate::{
    domain::{
        HouseholdId, WarningId,
        risk::Risk,
        signal::{Department, Origin, Report},
    },
    error::Error,
    store::{households, keys::Hash},
};

/// Maximum number of warnings matched in one transaction: households are locked for as long as it takes.
const WARNINGS_AT_ONCE: i64 = 1_000;

/// People that are not completely matched.
#[derive(Debug, Default)]
pub struct Left {
    /// People with more warnings than one transaction takes.
    pub more: HashSet<Hash>,
    /// People whose households other transactions have locked.
    pub held: HashSet<Hash>,
}

/// A person and the person's household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Home {
    household: HouseholdId,
    person: Hash,
    region: RegionCode,
}

/// An unmatched warning, without personal data.
struct Waiting {
    id: WarningId,
    person: Hash,
    sender: RegionCode,
    cause: Risk,
    origin: Origin,
    occurred_on: NaiveDate,
}

/// Raises signals for warnings about people whose households are in the senders' regions, and returns the people that
/// are not completely matched. The transaction sees every region.
///
/// Both sides are read again here, so whatever was committed before counts, in whatever order it came. Locked
/// households are skipped, not waited for: one long change of a household would delay all warnings.
pub async fn match_people(conn: &mut PgConnection, context: &Context, people: &[Hash]) -> Result<Left, Error> {
    let warned_of = warned_of(conn, people).await?;
    if warned_of.is_empty() {
        return Ok(Left::default());
    }
    let found = homes(conn, &warned_of).await?;
    let waiting = waiting_for(conn, &found).await?;
    let mut left = Left::default();
    if i64::try_from(waiting.len()).is_ok_and(|count| count >= WARNINGS_AT_ONCE) {
        left.more.extend(warned_of);
    }
    let meant: HashSet<HouseholdId> =
        waiting.iter().filter_map(|warning| home_of(&found, warning)).map(|home| home.household).collect();
    let held = households::lock_free(conn, &meant.into_iter().collect::<Vec<_>>()).await?;
    // Before the lock was ours, a person may have left, moved or been merged.
    let people: HashSet<Hash> = waiting.iter().map(|warning| warning.person).collect();
    let found = homes(conn, &people.into_iter().collect::<Vec<_>>()).await?;
    let mut matched = Vec::with_capacity(waiting.len());
    for warning in &waiting {
        match home_of(&found, warning) {
            Some(home) if held.contains(&home.household) => matched.push((warning.id, warning.report(home))),
            Some(_) => drop(left.held.insert(warning.person)),
            None => {}
        }
    }
    settle(conn, context, matched).await?;
    Ok(left)
}

impl Waiting {
    fn report(&self, home: &Home) -> Report {
        let Home { household, region, .. } = *home;
        Report { household, region, cause: self.cause, origin: self.origin, reported_on: self.occurred_on }
    }
}

/// Of two households of a person, the first one in the sender's region is as good as the other.
fn home_of<'a>(homes: &'a HashMap<Hash, Vec<Home>>, warning: &Waiting) -> Option<&'a Home> {
    homes.get(&warning.person)?.iter().find(|home| warning.sender.contains(home.region))
}

/// Those of some people that have an unmatched warning.
async fn warned_of(conn: &mut PgConnection, people: &[Hash]) -> Result<Vec<Hash>, Error> {
    let warned_of = sqlx::query_scalar!(
        r#"
        SELECT asked.id_index AS "id_index!"
        FROM unnest($1::uuid[]) AS asked (id_index)
            CROSS JOIN LATERAL (
                SELECT
                FROM warning
                WHERE warning.id_index = asked.id_index AND signal_id IS NULL
                LIMIT 1
            ) AS any_of_them
        "#,
        people,
    )
    .fetch_all(conn)
    .await?;
    Ok(warned_of)
}

/// The households of people, by identifier.
async fn homes(conn: &mut PgConnection, people: &[Hash]) -> Result<HashMap<Hash, Vec<Home>>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT member.id_index, household.household_id, household.region_code
        FROM member
            JOIN household USING (household_id)
        WHERE member.id_index = ANY($1) AND member.left_on IS NULL AND household.merged_into IS NULL
        "#,
        people,
    )
    .fetch_all(conn)
    .await?;
    let mut homes: HashMap<Hash, Vec<Home>> = HashMap::new();
    for row in rows {
        let (household, region) = (HouseholdId(row.household_id), region(row.region_code)?);
        homes.entry(row.id_index).or_default().push(Home { household, person: row.id_index, region });
    }
    for own in homes.values_mut() {
        own.sort_unstable();
    }
    Ok(homes)
}

/// Locks warnings about people that have a household in the sender's region, in the order in which they came.
async fn waiting_for(conn: &mut PgConnection, homes: &HashMap<Hash, Vec<Home>>) -> Result<Vec<Waiting>, Error> {
    let above = |home: &Home| home.region.with_ancestors().chain([RegionCode::COUNTRY]);
    let senders = |home: &Home| above(home).map(RegionCode::number).collect::<Vec<_>>();
    let asked = |home: &Home| senders(home).into_iter().map(|sender| (home.person, sender)).collect::<Vec<_>>();
    let asked: BTreeSet<(Hash, i64)> = homes.values().flatten().flat_map(asked).collect();
    let (people, senders): (Vec<Hash>, Vec<i64>) = asked.into_iter().unzip();
    let rows = sqlx::query!(
        r#"
        SELECT warning_id, id_index, region_code, department, cause, occurred_on
        FROM unnest($1::uuid[], $2::bigint[]) AS asked (person, sender)
            CROSS JOIN LATERAL (
                SELECT warning_id, id_index, region_code, department, cause, occurred_on
                FROM warning
                WHERE id_index = asked.person AND region_code = asked.sender AND signal_id IS NULL
                ORDER BY warning_id
                LIMIT $3
                FOR UPDATE
            ) AS waiting
        LIMIT $3
        "#,
        &people,
        &senders,
        WARNINGS_AT_ONCE,
    )
    .fetch_all(conn)
    .await?;
    let mut waiting = Vec::with_capacity(rows.len());
    for row in rows {
        waiting.push(Waiting {
            id: WarningId(row.warning_id),
            person: row.id_index,
            sender: region(row.region_code)?,
            cause: named(Risk::by_name(&row.cause), &row.cause)?,
            origin: Origin::Warning(named(Department::by_name(&row.department), &row.department)?),
            occurred_on: row.occurred_on,
        });
    }
    waiting.sort_unstable_by_key(|warning| warning.id.0);
    Ok(waiting)
}

/// Raises signals, and stores which warning led to which.
async fn settle(conn: &mut PgConnection, context: &Context, matched: Vec<(WarningId, Report)>) -> Result<(), Error> {
    let (warnings, reports): (Vec<WarningId>, Vec<Report>) = matched.into_iter().unzip();
    let raised = raise(conn, context, &reports).await?;
    let warnings: Vec<Uuid> = warnings.iter().map(|warning| warning.0).collect();
    let signals: Vec<Uuid> = raised.iter().map(|Raised { signal, .. }| signal.0).collect();
    sqlx::query!(
        r#"
        UPDATE warning
        SET signal_id = matched.signal_id
        FROM unnest($1::uuid[], $2::uuid[]) AS matched (warning_id, signal_id)
        WHERE warning.warning_id = matched.warning_id
        "#,
        &warnings,
        &signals,
    )
    .execute(conn)
    .await?;
    Ok(())
}
