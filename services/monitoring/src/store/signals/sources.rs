//! Sources of signals.

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::named;
use crate::{
    domain::{
        RuleSetId, SignalId, VerdictId,
        signal::{Department, Origin, Signal, SignalKind, Source},
    },
    error::Error,
};

struct Row {
    signal_id: Uuid,
    kind: String,
    department: Option<String>,
    reported_on: NaiveDate,
    verdict_id: Option<Uuid>,
    rule_set_id: Option<Uuid>,
    rule_number: Option<i32>,
}

impl TryFrom<Row> for Source {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let rule = (row.verdict_id, row.rule_set_id, row.rule_number);
        let origin = match (named(SignalKind::by_name(&row.kind), &row.kind)?, row.department, rule) {
            (SignalKind::SelfReport, None, (None, None, None)) => Origin::SelfReport,
            (SignalKind::Sweep, None, (None, None, None)) => Origin::Sweep,
            (SignalKind::DepartmentWarning, Some(department), (None, None, None)) => {
                Origin::Warning(named(Department::by_name(&department), &department)?)
            }
            (SignalKind::Screening, None, (Some(verdict), Some(rule_set), Some(rule_number))) => {
                Origin::Screening { verdict: VerdictId(verdict), rule_set: RuleSetId(rule_set), rule_number }
            }
            _ => return Err(Error::Corrupt(format!("a source of another kind of the signal {}", row.signal_id))),
        };
        Ok(Self { origin, reported_on: row.reported_on })
    }
}

/// The sources of some signals, each in order of entry.
pub(super) async fn of(conn: &mut PgConnection, signals: &[Uuid]) -> Result<HashMap<SignalId, Vec<Source>>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT signal_id, kind, department, reported_on, verdict_id, rule_set_id, rule_number
        FROM signal_source
        WHERE signal_id = ANY($1)
        ORDER BY signal_id, position
        "#,
        signals,
    )
    .fetch_all(conn)
    .await?;
    let mut sources: HashMap<SignalId, Vec<Source>> = HashMap::new();
    for row in rows {
        sources.entry(SignalId(row.signal_id)).or_default().push(row.try_into()?);
    }
    Ok(sources)
}

/// The first sources of some signals, each in order of entry, and the number of all sources.
pub(super) async fn first_of(
    conn: &mut PgConnection,
    signals: &[Uuid],
    most: usize,
) -> Result<HashMap<SignalId, (Vec<Source>, i64)>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT signal_id, kind, department, reported_on, verdict_id, rule_set_id, rule_number,
               (SELECT max(position) FROM signal_source AS own WHERE own.signal_id = signal_source.signal_id) AS "count!"
        FROM signal_source
        WHERE signal_id = ANY($1) AND position <= $2
        ORDER BY signal_id, position
        "#,
        signals,
        i32::try_from(most).unwrap_or(i32::MAX),
    )
    .fetch_all(conn)
    .await?;
    let mut sources: HashMap<SignalId, (Vec<Source>, i64)> = HashMap::new();
    for row in rows {
        let (own, count) = sources.entry(SignalId(row.signal_id)).or_default();
        *count = row.count.into();
        let source = Row {
            signal_id: row.signal_id,
            kind: row.kind,
            department: row.department,
            reported_on: row.reported_on,
            verdict_id: row.verdict_id,
            rule_set_id: row.rule_set_id,
            rule_number: row.rule_number,
        };
        own.push(source.try_into()?);
    }
    Ok(sources)
}

/// Adds the sources of signals after the stored ones.
pub(super) async fn add<'a>(
    conn: &mut PgConnection,
    signals: impl Iterator<Item = (&'a Signal, usize)>,
) -> Result<(), Error> {
    let new: Vec<(&Signal, i32, Source)> = signals
        .flat_map(|(signal, kept)| {
            let numbered = (1_i32..).zip(&signal.sources).skip(kept);
            numbered.map(move |(position, source)| (signal, position, *source))
        })
        .collect();
    let ids: Vec<Uuid> = new.iter().map(|(signal, ..)| signal.id.0).collect();
    let positions: Vec<i32> = new.iter().map(|(_, position, _)| *position).collect();
    let regions: Vec<i64> = new.iter().map(|(signal, ..)| signal.region.number()).collect();
    let kinds: Vec<&str> = new.iter().map(|(.., source)| source.origin.kind().name()).collect();
    let departments: Vec<Option<&str>> =
        new.iter().map(|(.., source)| source.origin.department().map(Department::name)).collect();
    let days: Vec<NaiveDate> = new.iter().map(|(.., source)| source.reported_on).collect();
    let (verdicts, (rule_sets, rule_numbers)): (Vec<_>, (Vec<_>, Vec<_>)) =
        new.iter().map(|(.., source)| rule(source.origin)).unzip();
    sqlx::query!(
        r#"
        INSERT INTO signal_source
            (signal_id, position, region_code, kind, department, reported_on, verdict_id, rule_set_id, rule_number)
        SELECT *
        FROM unnest(
            $1::uuid[], $2::integer[], $3::bigint[], $4::text[], $5::text[], $6::date[], $7::uuid[], $8::uuid[],
            $9::integer[]
        )
        "#,
        &ids,
        &positions,
        &regions,
        &kinds as &[&str],
        &departments as &[Option<&str>],
        &days,
        &verdicts as &[Option<Uuid>],
        &rule_sets as &[Option<Uuid>],
        &rule_numbers as &[Option<i32>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Verdict, rule set and rule number of a screening.
fn rule(origin: Origin) -> (Option<Uuid>, (Option<Uuid>, Option<i32>)) {
    match origin {
        Origin::Screening { verdict, rule_set, rule_number } => {
            (Some(verdict.0), (Some(rule_set.0), Some(rule_number)))
        }
        Origin::SelfReport | Origin::Sweep | Origin::Warning(_) => (None, (None, None)),
    }
}
