//! Signs that households are at risk.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{region::RegionCode, request::Context};
use uuid::Uuid;

use crate::{
    domain::{
        CaseId, HouseholdId, SignalId,
        household::Move,
        signal::{Origin, Report},
    },
    error::Error,
};

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raised {
    /// The signal that rests on it.
    pub signal: SignalId,
    /// Whether the signal was open before.
    pub joined: bool,
}

/// Makes reports signals, or joins them to those that are open for the same household and cause. The households are
/// locked.
pub async fn raise(conn: &mut PgConnection, context: &Context, reports: &[Report]) -> Result<Vec<Raised>, Error> {
    let mut raised = Vec::with_capacity(reports.len());
    for report in reports {
        raised.push(raise_one(conn, context, report).await?);
    }
    Ok(raised)
}

async fn raise_one(conn: &mut PgConnection, context: &Context, report: &Report) -> Result<Raised, Error> {
    let new = sqlx::query_scalar!(
        r#"
        INSERT INTO signal (signal_id, household_id, region_code, cause, state, reported_on, reason, version)
        VALUES ($1, $2, $3, $4, 'open', $5, '', 1)
        ON CONFLICT (household_id, cause) WHERE state = 'open' DO NOTHING
        RETURNING signal_id
        "#,
        context.new_id(),
        report.household.0,
        report.region.number(),
        report.cause.name(),
        report.reported_on,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let signal = match new {
        Some(signal) => signal,
        None => open(conn, report).await?,
    };
    add_source(conn, report, signal).await?;
    Ok(Raised { signal: SignalId(signal), joined: new.is_none() })
}

async fn open(conn: &mut PgConnection, report: &Report) -> Result<Uuid, Error> {
    let signal = sqlx::query_scalar!(
        "SELECT signal_id FROM signal WHERE household_id = $1 AND cause = $2 AND state = 'open'",
        report.household.0,
        report.cause.name(),
    )
    .fetch_one(conn)
    .await?;
    Ok(signal)
}

async fn add_source(conn: &mut PgConnection, report: &Report, signal: Uuid) -> Result<(), Error> {
    let (kind, department, screening) = match report.origin {
        Origin::SelfReport => ("self_report", None, None),
        Origin::Sweep => ("sweep", None, None),
        Origin::Warning(department) => ("department_warning", Some(department.name()), None),
        Origin::Screening { verdict, rule_set, rule_number } => {
            ("screening", None, Some((verdict.0, rule_set.0, rule_number)))
        }
    };
    sqlx::query!(
        r#"
        INSERT INTO signal_source
            (signal_id, position, region_code, kind, department, reported_on, verdict_id, rule_set_id, rule_number)
        SELECT $1, count(*) + 1, $2, $3, $4, $5, $6, $7, $8
        FROM signal_source
        WHERE signal_id = $1
        "#,
        signal,
        report.region.number(),
        kind,
        department,
        report.reported_on,
        screening.map(|(verdict, ..)| verdict),
        screening.map(|(_, rule_set, _)| rule_set),
        screening.map(|(.., rule_number)| rule_number),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes what belongs to a household that moves along.
pub async fn move_to(conn: &mut PgConnection, _: &Context, moved: &Move) -> Result<(), Error> {
    sqlx::query!("UPDATE signal SET region_code = $2 WHERE household_id = $1", moved.household.0, moved.to.number())
        .execute(conn)
        .await?;
    Ok(())
}

/// Lets warnings that were kept find their person among those who were registered.
pub async fn warnings_match(
    _: &mut PgConnection,
    _: &Context,
    _: &[([u8; 16], HouseholdId, RegionCode)],
) -> Result<(), Error> {
    Ok(())
}

/// Takes verified signals of a household for a case that is opened.
pub async fn take_for_case(
    conn: &mut PgConnection,
    _: &Context,
    signals: &[SignalId],
    case: CaseId,
    household: HouseholdId,
) -> Result<(), Error> {
    let ids: Vec<Uuid> = signals.iter().map(|signal| signal.0).collect();
    sqlx::query!(
        "UPDATE signal SET case_id = $2, version = version + 1 WHERE signal_id = ANY($1) AND household_id = $3",
        &ids,
        case.0,
        household.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// States that the household of a case was identified.
pub async fn identified(_: &mut PgConnection, _: &Context, _: CaseId, _: NaiveDate) -> Result<(), Error> {
    Ok(())
}
