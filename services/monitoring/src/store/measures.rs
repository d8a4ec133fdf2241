//! Measures of cases.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{
    change::Change,
    log::{self, NewEvent},
    region::RegionCode,
    request::Context,
};
use uuid::Uuid;

use super::{named, published};
use crate::{
    domain::{
        CaseId, MeasureId,
        measure::{Ending, Measure, MeasureDraft, MeasureEvent, MeasureFamily, MeasureRefused, MeasureState},
        risk::Risk,
    },
    error::Error,
};

struct Row {
    measure_id: Uuid,
    case_id: Uuid,
    risk: String,
    family: String,
    owner: String,
    planned_on: NaiveDate,
    due_on: NaiveDate,
    planned_fen: i64,
    state: String,
    finished_on: Option<NaiveDate>,
    outcome: String,
    spent_fen: i64,
}

impl TryFrom<Row> for Measure {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let ending = row.finished_on.map(|on| Ending { on, outcome: row.outcome, spent_fen: row.spent_fen });
        let state = match (row.state.as_str(), ending) {
            ("planned", None) => MeasureState::Planned,
            ("done", Some(ending)) => MeasureState::Done(ending),
            ("cancelled", Some(ending)) => MeasureState::Cancelled(ending),
            (state, _) => return Err(Error::Corrupt(format!("a measure that is {state} and not as such"))),
        };
        Ok(Self {
            id: MeasureId(row.measure_id),
            case: CaseId(row.case_id),
            stated: MeasureDraft {
                risk: named(Risk::by_name(&row.risk), &row.risk)?,
                family: named(MeasureFamily::by_name(&row.family), &row.family)?,
                owner: row.owner,
                planned_on: row.planned_on,
                due_on: row.due_on,
                planned_fen: row.planned_fen,
            },
            state,
        })
    }
}

/// The measures of some cases, oldest first.
pub async fn of_cases(conn: &mut PgConnection, cases: &[CaseId]) -> Result<Vec<Measure>, Error> {
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    let cases: Vec<Uuid> = cases.iter().map(|case| case.0).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT measure_id, case_id, risk, family, owner, planned_on, due_on, planned_fen, state, finished_on, outcome,
               spent_fen
        FROM measure
        WHERE case_id = ANY($1)
        ORDER BY case_id, planned_on, measure_id
        "#,
        &cases,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Measure::try_from).collect()
}

/// The cases of some measures, which never change. Measures that are not visible are missing.
pub async fn cases_of(conn: &mut PgConnection, measures: &[MeasureId]) -> Result<HashMap<MeasureId, CaseId>, Error> {
    if measures.is_empty() {
        return Ok(HashMap::new());
    }
    let measures: Vec<Uuid> = measures.iter().map(|measure| measure.0).collect();
    let rows = sqlx::query!("SELECT measure_id, case_id FROM measure WHERE measure_id = ANY($1)", &measures)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (MeasureId(row.measure_id), CaseId(row.case_id))).collect())
}

/// A change of a measure, and the village of its case.
pub type Placed = (Change<Measure, MeasureEvent>, RegionCode);

/// Writes changes of measures in order, possibly several of one measure. The households are locked.
pub async fn save(conn: &mut PgConnection, context: &Context, changes: &[Placed]) -> Result<(), Error> {
    let mut last: BTreeMap<MeasureId, (&Measure, RegionCode)> = BTreeMap::new();
    let mut new = Vec::new();
    for (Change { state, events }, region) in changes {
        last.insert(state.id, (state, *region));
        if events.contains(&MeasureEvent::Planned) {
            new.push(state.id);
        }
    }
    let (added, finished): (Vec<_>, Vec<_>) =
        last.values().copied().partition(|(measure, _)| new.contains(&measure.id));
    add(conn, &added).await?;
    update(conn, &finished).await?;
    let published = |(Change { state, events }, region): &Placed| -> Vec<NewEvent> {
        events.iter().map(|event| published::cases::measure(state, *region, *event)).collect()
    };
    let events: Vec<NewEvent> = changes.iter().flat_map(published).collect();
    log::append(conn, context, &events).await?;
    Ok(())
}

/// The changing columns of measures, as arrays.
struct Columns<'a> {
    ids: Vec<Uuid>,
    states: Vec<&'static str>,
    finished: Vec<Option<NaiveDate>>,
    outcomes: Vec<&'a str>,
    spent: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn of(measures: &[(&'a Measure, RegionCode)]) -> Self {
        let measures = || measures.iter().map(|(measure, _)| *measure);
        let state = |measure: &Measure| match &measure.state {
            MeasureState::Planned => "planned",
            MeasureState::Done(_) => "done",
            MeasureState::Cancelled(_) => "cancelled",
        };
        let endings = || measures().map(Measure::ending);
        Self {
            ids: measures().map(|measure| measure.id.0).collect(),
            states: measures().map(state).collect(),
            finished: endings().map(|ending| ending.map(|ending| ending.on)).collect(),
            outcomes: endings().map(|ending| ending.map_or("", |ending| ending.outcome.as_str())).collect(),
            spent: endings().map(|ending| ending.map_or(0, |ending| ending.spent_fen)).collect(),
        }
    }
}

async fn add(conn: &mut PgConnection, measures: &[(&Measure, RegionCode)]) -> Result<(), Error> {
    if measures.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(measures);
    let drafts = || measures.iter().map(|(measure, _)| &measure.stated);
    let cases: Vec<Uuid> = measures.iter().map(|(measure, _)| measure.case.0).collect();
    let regions: Vec<i64> = measures.iter().map(|(_, region)| region.number()).collect();
    let risks: Vec<&str> = drafts().map(|draft| draft.risk.name()).collect();
    let families: Vec<&str> = drafts().map(|draft| draft.family.name()).collect();
    let owners: Vec<&str> = drafts().map(|draft| draft.owner.as_str()).collect();
    let planned_on: Vec<NaiveDate> = drafts().map(|draft| draft.planned_on).collect();
    let due_on: Vec<NaiveDate> = drafts().map(|draft| draft.due_on).collect();
    let planned_fen: Vec<i64> = drafts().map(|draft| draft.planned_fen).collect();
    sqlx::query!(
        r#"
        INSERT INTO measure
            (measure_id, case_id, region_code, risk, family, owner, planned_on, due_on, planned_fen, state, finished_on,
             outcome, spent_fen)
        SELECT *
        FROM unnest(
            $1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::date[], $8::date[],
            $9::bigint[], $10::text[], $11::date[], $12::text[], $13::bigint[]
        )
        "#,
        &columns.ids,
        &cases,
        &regions,
        &risks as &[&str],
        &families as &[&str],
        &owners as &[&str],
        &planned_on,
        &due_on,
        &planned_fen,
        &columns.states as &[&str],
        &columns.finished as &[Option<NaiveDate>],
        &columns.outcomes as &[&str],
        &columns.spent,
    )
    .execute(conn)
    .await
    .map_err(|error| match error.as_database_error().and_then(|error| error.constraint()) {
        Some("measure_pkey") => MeasureRefused::ExistsElsewhere.into(),
        _ => Error::from(error),
    })?;
    Ok(())
}

async fn update(conn: &mut PgConnection, measures: &[(&Measure, RegionCode)]) -> Result<(), Error> {
    if measures.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(measures);
    sqlx::query!(
        r#"
        UPDATE measure
        SET state = new.state,
            finished_on = new.finished_on,
            outcome = new.outcome,
            spent_fen = new.spent_fen
        FROM unnest($1::uuid[], $2::text[], $3::date[], $4::text[], $5::bigint[])
            AS new (measure_id, state, finished_on, outcome, spent_fen)
        WHERE measure.measure_id = new.measure_id
        "#,
        &columns.ids,
        &columns.states as &[&str],
        &columns.finished as &[Option<NaiveDate>],
        &columns.outcomes as &[&str],
        &columns.spent,
    )
    .execute(conn)
    .await?;
    Ok(())
}
