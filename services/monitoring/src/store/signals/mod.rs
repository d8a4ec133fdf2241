//! Signals and their sources.

mod change;
mod funnel;
mod matching;
mod raise;
mod sources;
mod warnings;

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{
    page::{Page, PageKey},
    region::{RegionCode, RegionRange},
};
use uuid::Uuid;

pub use change::{decide, identified, move_to, take_for_case};
pub use funnel::funnel;
pub use matching::{Left, match_people};
pub use raise::raise;
pub use warnings::{Warning, keep};

use super::{named, region};
use crate::{
    domain::{
        CaseId, HouseholdId, SignalId,
        risk::Risk,
        signal::{Decision, Signal, SignalRefused, SignalState, Source},
    },
    error::Error,
};

struct Row {
    signal_id: Uuid,
    household_id: Uuid,
    region_code: i64,
    cause: String,
    state: String,
    reason: String,
    decided_on: Option<NaiveDate>,
    case_id: Option<Uuid>,
    version: i64,
}

impl Row {
    fn with(self, sources: Vec<Source>) -> Result<Signal, Error> {
        let state = named(SignalState::by_name(&self.state), &self.state)?;
        let decision = match (state, self.decided_on) {
            (SignalState::Open, None) => None,
            (SignalState::Verified | SignalState::Refuted, Some(on)) => {
                Some(Decision { verified: state == SignalState::Verified, reason: self.reason, on })
            }
            (SignalState::Open, Some(_)) | (SignalState::Verified | SignalState::Refuted, None) => {
                return Err(Error::Corrupt(format!("the signal {} half decided", self.signal_id)));
            }
        };
        Ok(Signal {
            id: SignalId(self.signal_id),
            household: HouseholdId(self.household_id),
            region: region(self.region_code)?,
            cause: named(Risk::by_name(&self.cause), &self.cause)?,
            sources,
            decision,
            case: self.case_id.map(CaseId),
            version: self.version,
        })
    }
}

/// Signals with their sources, in the order of the rows.
async fn with_sources(conn: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Signal>, Error> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.signal_id).collect();
    let mut sources: HashMap<SignalId, Vec<Source>> = sources::of(conn, &ids).await?;
    let whole = |row: Row| {
        let own = sources.remove(&SignalId(row.signal_id)).unwrap_or_default();
        row.with(own)
    };
    rows.into_iter().map(whole).collect()
}

/// Maximum number of sources of a signal in a list.
pub const SOURCES_SHOWN: usize = 20;

/// A signal in a list: with its first sources, and their number.
#[derive(Debug)]
pub struct Shown {
    pub signal: Signal,
    /// Number of all sources.
    pub source_count: i64,
}

async fn as_shown(conn: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Shown>, Error> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.signal_id).collect();
    let mut sources = sources::first_of(conn, &ids, SOURCES_SHOWN).await?;
    let shown = |row: Row| {
        let (own, source_count) = sources.remove(&SignalId(row.signal_id)).unwrap_or_default();
        Ok(Shown { signal: row.with(own)?, source_count })
    };
    rows.into_iter().map(shown).collect()
}

/// Filter of a list of signals.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this region or below.
    pub region: Option<RegionCode>,
    pub state: Option<SignalState>,
    pub household: Option<HouseholdId>,
}

/// Lists signals by village, in the order in which they were raised.
pub async fn list(conn: &mut PgConnection, filter: &Filter, page: &Page<PageKey>) -> Result<Vec<Shown>, Error> {
    let range = filter.region.map_or(RegionRange::EVERYWHERE, RegionCode::range);
    let state = filter.state.map(SignalState::name);
    let (after_region, after_id) = PageKey::columns_in(range, page.after);
    let rows = match filter.household {
        Some(household) => {
            sqlx::query_as!(
                Row,
                r#"
                SELECT signal_id, household_id, region_code, cause, state, reason, decided_on, case_id, version
                FROM signal
                WHERE household_id = $6
                    AND (region_code, signal_id) > ($1, $2) AND region_code < $3
                    AND ($4::text IS NULL OR state = $4)
                ORDER BY region_code, signal_id
                LIMIT $5
                "#,
                after_region,
                after_id,
                range.until,
                state,
                page.fetch(),
                household.0,
            )
            .fetch_all(&mut *conn)
            .await?
        }
        None => {
            sqlx::query_as!(
                Row,
                r#"
                SELECT signal_id, household_id, region_code, cause, state, reason, decided_on, case_id, version
                FROM signal
                WHERE (region_code, signal_id) > ($1, $2) AND region_code < $3
                    AND ($4::text IS NULL OR state = $4)
                ORDER BY region_code, signal_id
                LIMIT $5
                "#,
                after_region,
                after_id,
                range.until,
                state,
                page.fetch(),
            )
            .fetch_all(&mut *conn)
            .await?
        }
    };
    as_shown(conn, rows).await
}

pub async fn find(conn: &mut PgConnection, id: SignalId) -> Result<Signal, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT signal_id, household_id, region_code, cause, state, reason, decided_on, case_id, version
        FROM signal
        WHERE signal_id = $1
        "#,
        id.0,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let row = row.ok_or(SignalRefused::NotFound(id))?;
    let found = with_sources(conn, vec![row]).await?.pop();
    Ok(found.ok_or(SignalRefused::NotFound(id))?)
}
