//! Other changes of signals: decisions, cases that they lead to, and moves of their households.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{log, request::Context};
use uuid::Uuid;

use super::{Row, with_sources};
use crate::{
    domain::{
        CaseId, HouseholdId, SignalId,
        household::Move,
        signal::{CountedPeriods, Decision, Moved, Signal, SignalRefused, changes},
    },
    error::Error,
    store::{households::Head, published},
};

/// Locks signals until the transaction ends, and returns those that exist.
async fn lock(conn: &mut PgConnection, ids: &[SignalId]) -> Result<Vec<Signal>, Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT signal_id, household_id, region_code, cause, state, reason, decided_on, case_id, version
        FROM signal
        WHERE signal_id = ANY($1)
        ORDER BY signal_id
        FOR UPDATE
        "#,
        &ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    with_sources(conn, rows).await
}

/// Locks a signal of a locked household, decides it, and appends an event.
pub async fn decide(
    conn: &mut PgConnection,
    context: &Context,
    id: SignalId,
    head: &Head,
    decide: impl FnOnce(Signal) -> Result<Signal, Error>,
) -> Result<Signal, Error> {
    let signal = lock(conn, &[id]).await?.pop().ok_or(SignalRefused::NotFound(id))?;
    let before = CountedPeriods::of(&signal, head.moved_on, None);
    let decided = decide(signal)?;
    let Some(Decision { reason, on, .. }) = &decided.decision else { return Ok(decided) };
    sqlx::query!(
        r#"
        UPDATE signal
        SET state = $2,
            reason = $3,
            decided_on = $4,
            version = $5
        WHERE signal_id = $1
        "#,
        id.0,
        decided.state().name(),
        reason,
        on,
        decided.version,
    )
    .execute(&mut *conn)
    .await?;
    let changes = changes(&before, &CountedPeriods::of(&decided, head.moved_on, None));
    log::append(conn, context, &[published::signals::decided(&decided, &changes)]).await?;
    Ok(decided)
}

/// Assigns verified signals to a case. They belong to a locked household, or to a record that was merged into it, in
/// any region.
pub async fn take_for_case(
    conn: &mut PgConnection,
    context: &Context,
    ids: &[SignalId],
    case: CaseId,
) -> Result<(), Error> {
    let take = async |conn: &mut PgConnection| {
        let signals = lock(conn, ids).await?;
        if let Some(missing) = ids.iter().find(|id| !signals.iter().any(|signal| signal.id == **id)) {
            return Err(SignalRefused::NotFound(*missing).into());
        }
        let taken: Vec<Signal> = signals.into_iter().map(|signal| signal.take(case)).collect::<Result<_, _>>()?;
        let ids: Vec<Uuid> = taken.iter().map(|signal| signal.id.0).collect();
        sqlx::query!("UPDATE signal SET case_id = $2, version = version + 1 WHERE signal_id = ANY($1)", &ids, case.0)
            .execute(&mut *conn)
            .await?;
        Ok(())
    };
    context.everywhere(conn, take).await
}

/// Records that the household of a case was identified on a day, for the signals that led to it.
pub async fn identified(conn: &mut PgConnection, context: &Context, case: CaseId, on: NaiveDate) -> Result<(), Error> {
    let count = async |conn: &mut PgConnection| {
        let of_case = of_case(conn, case).await?;
        let mut events = Vec::new();
        for Counting { signal, moved_on, .. } in of_case {
            let (before, now) =
                (CountedPeriods::of(&signal, moved_on, None), CountedPeriods::of(&signal, moved_on, Some(on)));
            events.extend(published::signals::counted(&signal, signal.region, &changes(&before, &now)));
        }
        Ok(log::append(conn, context, &events).await?)
    };
    context.everywhere(conn, count).await
}

/// Moves the signals of a locked household to its new region.
pub async fn move_to(conn: &mut PgConnection, context: &Context, moved: &Move) -> Result<(), Error> {
    let signals = of_household(conn, moved.household).await?;
    let ids: Vec<Uuid> = signals.iter().map(|counting| counting.signal.id.0).collect();
    let region = moved.to.number();
    sqlx::query!("UPDATE signal SET region_code = $2 WHERE signal_id = ANY($1)", &ids, region)
        .execute(&mut *conn)
        .await?;
    sqlx::query!("UPDATE signal_source SET region_code = $2 WHERE signal_id = ANY($1)", &ids, region)
        .execute(&mut *conn)
        .await?;
    let mut events = Vec::new();
    for Counting { signal, identified_on, .. } in signals {
        for (region, change) in Moved::of(&signal, moved, identified_on).0 {
            events.extend(published::signals::counted(&signal, region, &[change]));
        }
    }
    log::append(conn, context, &events).await?;
    Ok(())
}

/// A locked signal with everything else that its counts depend on.
struct Counting {
    signal: Signal,
    moved_on: Option<NaiveDate>,
    identified_on: Option<NaiveDate>,
}

async fn of_case(conn: &mut PgConnection, case: CaseId) -> Result<Vec<Counting>, Error> {
    let ids =
        sqlx::query_scalar!("SELECT signal_id FROM signal WHERE case_id = $1", case.0).fetch_all(&mut *conn).await?;
    counting(conn, ids).await
}

async fn of_household(conn: &mut PgConnection, household: HouseholdId) -> Result<Vec<Counting>, Error> {
    let ids = sqlx::query_scalar!("SELECT signal_id FROM signal WHERE household_id = $1", household.0)
        .fetch_all(&mut *conn)
        .await?;
    counting(conn, ids).await
}

async fn counting(conn: &mut PgConnection, ids: Vec<Uuid>) -> Result<Vec<Counting>, Error> {
    let ids: Vec<SignalId> = ids.into_iter().map(SignalId).collect();
    let mut counting = Vec::with_capacity(ids.len());
    for signal in lock(conn, &ids).await? {
        let days = sqlx::query!(
            r#"
            SELECT household.moved_on, cases.identified_on AS "identified_on?"
            FROM household
                LEFT JOIN cases ON cases.case_id = $2
            WHERE household.household_id = $1
            "#,
            signal.household.0,
            signal.case.map(|case| case.0),
        )
        .fetch_one(&mut *conn)
        .await?;
        counting.push(Counting { signal, moved_on: days.moved_on, identified_on: days.identified_on });
    }
    Ok(counting)
}
